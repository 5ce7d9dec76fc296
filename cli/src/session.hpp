#pragma once

#include "command_line.hpp"
#include "show_text.hpp"
#include "table.hpp"

#include <tenure/base/function_ref.hpp>
#include <tenure/cli/run.hpp>
#include <tenure/config/load.hpp>
#include <tenure/queue/filter.hpp>
#include <tenure/queue/mask.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tenure::cli {

// Standard output went away; what was done stays done.
struct OutputClosed {};

struct Verb;

// What an operator has changed in one commit.
struct Changed {
  std::int64_t count = 0;
  std::string subject;  // of the audit record: what they are called, or the filter that found them
  bool is_told_though_none = false;  // else a count of 0 has no record
};

// What is refused by a name that is no code of the library.
struct Refused {
  std::string name;  // "FileExists"
  std::string message;
};

// A copy that lies in its place.
struct MadeCopy {
  std::int64_t bytes = 0;
  std::string unrecorded;  // why no audit record says that it is complete; empty where one does
};

// What one command works with: its words and options, settings and store opened when first asked for, and the output.
class Session {
 public:
  // All must outlive it. BadOptions for a bad --color, a --reason that is too long, and for --offline with what is not for it; opens the
  // copy then, and throws what open_control_copy does.
  Session(CommandLine line, const Verb& verb, std::span<const std::string> words, Output& output,
          Environment& environment);

  [[nodiscard]] std::span<const std::string> words() const { return words_; }  // after noun and verb
  [[nodiscard]] const CommandLine& command_line() const { return line_; }
  [[nodiscard]] bool has(std::string_view option) const { return line_.has(option); }
  [[nodiscard]] std::string_view option(std::string_view name) const { return line_.value(name); }
  [[nodiscard]] bool json() const { return line_.has("json"); }
  // --limit, 50 unless given.
  [[nodiscard]] std::size_t limit() const;

  [[nodiscard]] const ShowStyle& style() const { return style_; }
  // With --offline the time of the copy, or what --now says.
  [[nodiscard]] WallTime now() const { return style_.now; }
  [[nodiscard]] bool is_offline() const { return has("offline"); }
  [[nodiscard]] TableStyle table_style() const;
  [[nodiscard]] Environment& environment() { return environment_; }

  // Problems and all, for `config`.
  [[nodiscard]] config::LoadedSettings read_settings() const;
  // BadConfiguration, in one line, where there are problems.
  [[nodiscard]] const config::Settings& settings();
  // Who types this; looked up once.
  [[nodiscard]] const OperatorIdentity& who();
  // Which values of arguments nobody is shown.
  [[nodiscard]] queue::Mask mask() { return queue::Mask(settings().security.mask); }
  // The service manager's folder for credentials; empty: there is none.
  [[nodiscard]] std::filesystem::path credentials() const;
  // The keys of seals, as the configuration names them; BadConfiguration.
  [[nodiscard]] KeyRing keys();
  // The words as a filter; BadFilter.
  [[nodiscard]] queue::Filter filter(std::span<const queue::FilterField> fields) const;
  // One durable commit of what `work` changes, with the audit record of it; where it says that it was nothing there is none. The
  // only ways to change anything are this one and the registry.
  void change(FunctionRef<Changed(queue::StoreWriter&)> work);
  // Opens the control database for writing, before anything is looked at: a command that was killed may have left a log that nobody who
  // only looks can read.
  void open_for_change();
  // Each change of it has its audit record in its own commit. Where there is no control database it is made, unless --store names
  // it. Until the session ends.
  [[nodiscard]] TenantRegistry& registry();
  // Copies the control database to `target`, an absolute path. Audit records say that it was begun
  // and that it is complete, since whoever has a copy has all that is in it.
  [[nodiscard]] MadeCopy back_up(const std::filesystem::path& target,
                                 FunctionRef<void(const queue::CopyProgress&)> progress);
  // The schema of the control database, or of the copy with --offline.
  [[nodiscard]] queue::SchemaState schema(queue::PageCheck page_check);
  // Brings it to the program's own, with an audit record; answers what it was.
  queue::SchemaState migrate();
  // Both with an audit record.
  [[nodiscard]] queue::MovedLog checkpoint();
  [[nodiscard]] queue::CompactedStore compact();
  // Makes the copy that lies there the control database, with its audit record; nothing where it is none.
  [[nodiscard]] std::optional<queue::RestoreRecord> accept_copy(queue::AcceptRepeats accept);
  // What is worked on, as it was named.
  [[nodiscard]] std::filesystem::path store_path();
  // The control database for looking at it: changes nothing, waits for nobody. For whatever does not write.
  [[nodiscard]] queue::ReadableStore& readable_store();
  // To be called after each change.
  void wake();

  // Standard output; OutputClosed. JSON goes through print_json, which keeps hidden characters of data out.
  void print(std::string_view text);
  void print_json(std::string_view text);
  // A text as it is, or as {"schema": ..., "text": ...} with --json.
  void print_document(std::string_view schema, std::string_view text);
  // A line on standard error, unless --quiet or --json, with which standard error is for one error's object.
  void note(std::string_view line);
  // Whether standard error is a terminal on which a line can be drawn again, and is wanted.
  [[nodiscard]] bool messages_can_be_redrawn() const;
  // A line in place of the last one that was drawn so.
  void redraw(std::string_view line);
  void end_redrawing();
  // Asks on the terminal; nothing where there is none, and with --json.
  [[nodiscard]] std::optional<bool> ask(std::string_view question);

 private:
  // Whose readers know what time it is: rates of limits hold until some moment.
  class StoreAsOfNow final : public queue::ReadableStore {
   public:
    explicit StoreAsOfNow(Session& session) : session_(session) {}
    void read(FunctionRef<void(queue::JobReader&)> work) override;

   private:
    Session& session_;
  };
  [[nodiscard]] queue::ReadableStore& opened_store();
  enum class IfMissing : std::uint8_t { refuse, create };
  // Opened with the first call, which says what is done where there is no control database; one that --store names is not made.
  [[nodiscard]] queue::Store& store(IfMissing if_missing);
  void open_store(IfMissing if_missing);
  [[nodiscard]] queue::AuditEntry audit_entry();
  // A control database that only rests, and when it was copied.
  void open_copy();

  CommandLine line_;
  const Verb& verb_;
  std::span<const std::string> words_;
  Output& output_;
  Environment& environment_;
  ShowStyle style_;
  bool color_ = false;
  std::size_t drawn_ = 0;                // characters of the line that is drawn
  std::string as_of_;                    // with --offline: when it was copied
  std::optional<OperatorIdentity> who_;  // once it was asked for
  std::optional<config::LoadedSettings> settings_;
  std::shared_ptr<queue::Store> store_;
  std::shared_ptr<queue::ReadableStore> readable_store_;
  StoreAsOfNow store_as_of_now_{*this};
  std::unique_ptr<TenantRegistry> registry_;
};

// What --watch says; BadOptions names its limits.
[[nodiscard]] std::chrono::milliseconds watch_interval(std::string_view text);

// {"schema": ..., "text": ...} and a line's end: with --json, what is a text without it.
[[nodiscard]] std::string text_document(std::string_view schema, std::string_view text);

// The value of a variable; empty where there is none.
[[nodiscard]] std::string_view variable(const Environment& environment, std::string_view name);

}  // namespace tenure::cli
