#include "session.hpp"

#include "commands.hpp"

#include <tenure/base/exception_text.hpp>
#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>
#include <tenure/config/check.hpp>
#include <tenure/config/seal_keys.hpp>
#include <tenure/config/units.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace tenure::cli {
namespace {

constexpr std::int64_t kLimitDefault = 50;
constexpr std::int64_t kLimitMax = 1000;
constexpr std::chrono::milliseconds kWatchMin{100};
constexpr std::chrono::milliseconds kWatchMax{3'600'000};
constexpr int kColumnsMin = 20;
constexpr int kColumnsMax = 10'000;
constexpr int kColumnsDefault = 80;

bool wants_color(std::string_view option, const Environment& environment) {
  if (option == "always") return true;
  if (option == "never") return false;
  if (!option.empty() && option != "auto")
    raise(ErrorCode::bad_options,
          fmt::format("--color {} must be auto, always or never", escaped(option, 32)));
  return environment.data_is_terminal && variable(environment, "NO_COLOR").empty() &&
         variable(environment, "TERM") != "dumb";
}

bool is_usable(int columns) { return columns >= kColumnsMin && columns <= kColumnsMax; }

// An absurd COLUMNS is no reason to print nothing.
int terminal_columns(const Environment& environment) {
  const std::string_view text = variable(environment, "COLUMNS");
  int columns = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), columns);
  if (error == std::errc{} && rest == text.data() + text.size() && is_usable(columns)) return columns;
  return is_usable(environment.columns) ? environment.columns : kColumnsDefault;
}

// One point of the filter language; relative ones count from `now`.
WallTime time_in(std::string_view text, WallTime now) {
  const std::array word{fmt::format("at={}", text)};
  const auto filter = queue::parse_filter(word, queue::audit_filter_fields(), now);
  const bool is_one = filter && filter->terms.front().values.size() == 1 && text.find("..") == text.npos;
  const auto* const range =
      is_one ? std::get_if<queue::Range>(&filter->terms.front().values.front()) : nullptr;
  if (range == nullptr || !range->first)
    raise(ErrorCode::bad_options,
          fmt::format("--now {} is no time like 2026-03-02T10:14:00Z", escaped(text, 64)));
  return from_us(*range->first);
}

template <class Open>
auto opened(const config::StoreSettings& store, const Open& open) {
  try {
    return open(store);
  } catch (const DatabaseMissing&) {
    raise(ErrorCode::database_missing, config::missing_store_text(store));
  }
}

}  // namespace

std::string_view variable(const Environment& environment, std::string_view name) {
  for (const auto& [each, value] : environment.variables)
    if (each == name) return value;
  return {};
}

std::chrono::milliseconds watch_interval(std::string_view text) {
  const auto every = config::parse_duration(text);
  if (!every || *every < kWatchMin || *every > kWatchMax)
    raise(ErrorCode::bad_options,
          fmt::format("--watch {} must be a time like 2s, from {} to {}", escaped(text, 32),
                      config::duration_text(kWatchMin), config::duration_text(kWatchMax)));
  return *every;
}

std::string text_document(std::string_view schema, std::string_view text) {
  std::string out;
  json::Writer(out).begin_object().key("schema").string(schema).key("text").string(text).end_object();
  return json::printable(out) + '\n';
}

Session::Session(CommandLine line, const Verb& verb, std::span<const std::string> words, Output& output,
                 Environment& environment)
    : line_(std::move(line)),
      verb_(verb),
      words_(words),
      output_(output),
      environment_(environment),
      style_{
          .terminal = environment.data_is_terminal, .utc = line_.has("utc"), .now = environment.clock.wall()},
      color_(wants_color(line_.value("color"), environment)) {
  if (option("reason").size() > queue::kAuditReasonMax)
    raise(ErrorCode::bad_options, fmt::format("--reason has {} bytes, and {} at most are recorded",
                                              option("reason").size(), queue::kAuditReasonMax));
  if (is_offline()) open_copy();
  else if (has("now")) raise(ErrorCode::bad_options, "--now is for a copy that is looked at with --offline");
}

void Session::open_copy() {
  const std::string name = fmt::format("tenure {} {}", verb_.noun, verb_.name);
  if (changes_something(verb_, line_))
    raise(ErrorCode::bad_options,
          "--offline looks at a copy, which stays as it is; " + name +
              (has("reveal") ? " --reveal leaves an audit record" : " changes something"));
  if (!can_look_at_copies(verb_)) raise(ErrorCode::bad_options, "--offline means nothing to " + name);
  if (!has("store")) raise(ErrorCode::bad_options, "--offline looks at the copy that --store names");
  queue::ControlCopy copy = environment_.open_copy(option("store"));
  readable_store_ = std::move(copy.store);
  style_.now = has("now") ? time_in(option("now"), copy.as_of) : copy.as_of;
  as_of_ = to_rfc3339(copy.as_of);
  note("as of " + as_of_ + (has("now") ? ", as if it were " + to_rfc3339(style_.now) : ""));
}

std::size_t Session::limit() const {
  if (!has("limit")) return kLimitDefault;
  return static_cast<std::size_t>(value_or_raise(whole_number("limit", option("limit"), 1, kLimitMax)));
}

TableStyle Session::table_style() const {
  return {.columns_max = style_.terminal ? static_cast<std::size_t>(terminal_columns(environment_)) : 0,
          .bold_header = color_};
}

config::LoadedSettings Session::read_settings() const {
  config::SettingsSources sources{
      .file = config::config_file_to_read(option("config"), environment_.variables),
      .environment = environment_.variables};
  // What is typed is meant from the working folder on, unlike what stands in a file.
  if (has("store")) {
    std::error_code error;
    const std::filesystem::path store = std::filesystem::absolute(option("store"), error);
    if (error)
      raise(ErrorCode::bad_configuration,
            "--store is named from the working folder on, which cannot be told: " + error.message());
    sources.options.push_back({"store.path", store.string(), "--store"});
  }
  return config::read_settings(sources);
}

const config::Settings& Session::settings() {
  if (!settings_) {
    settings_ = read_settings();
    // Those with a key are nearly a setting, which whoever typed them takes to be in force.
    for (const config::Problem& warning : settings_->warnings)
      if (!warning.key.empty()) note("tenure: " + warning.text());
  }
  const auto& problems = settings_->problems;
  if (!problems.empty())
    raise(ErrorCode::bad_configuration,
          problems.front().text() + (problems.size() == 1 ? ""
                                                          : fmt::format(" (and {} more: tenure config check)",
                                                                        problems.size() - 1)));
  return settings_->settings;
}

std::filesystem::path Session::credentials() const { return variable(environment_, "CREDENTIALS_DIRECTORY"); }

KeyRing Session::keys() { return config::read_seal_keys(settings().security, credentials()); }

queue::Filter Session::filter(std::span<const queue::FilterField> fields) const {
  return value_or_raise(queue::parse_filter(words_, fields, now()));
}

queue::Store& Session::store(IfMissing if_missing) {
  if (!changes_something(verb_, line_)) throw std::logic_error("a verb that reads wants to write");
  if (!store_)
    open_store(if_missing == IfMissing::create && !has("store") ? IfMissing::create : IfMissing::refuse);
  return *store_;
}

// Whether its keys are those in force is asked at once, and not of each job of many.
void Session::open_store(IfMissing if_missing) {
  const bool looks_at_seals = needs_keys(verb_);
  const KeyRing own_keys = looks_at_seals ? keys() : KeyRing{};
  store_ = opened(settings().store, [&](const config::StoreSettings& from) {
    return environment_.open_store({.path = from.path,
                                    .create = if_missing == IfMissing::create,
                                    .payload_max = static_cast<std::size_t>(from.payload_max),
                                    .keys = own_keys});
  });
  if (looks_at_seals)
    store_->read(
        [&](queue::JobReader& reader) { value_or_raise(queue::check_keys(reader.seal_marks(), own_keys)); });
}

const OperatorIdentity& Session::who() {
  if (!who_) who_ = environment_.who();
  return *who_;
}

queue::AuditEntry Session::audit_entry() {
  return {.who = who(),
          .verb = fmt::format("{} {}", verb_.noun, verb_.name),
          .subject = {},
          .count = 0,
          .reason = std::string(option("reason"))};
}

void Session::change(FunctionRef<Changed(queue::StoreWriter&)> work) {
  store(IfMissing::refuse).write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    Changed changed = work(writer);
    if (changed.count == 0 && !changed.is_told_though_none) return;
    queue::AuditEntry entry = audit_entry();
    entry.count = changed.count;
    entry.subject = std::move(changed.subject);
    writer.append_audit(entry, environment_.clock.wall());
  });
}

void Session::open_for_change() {
  change([](queue::StoreWriter&) { return Changed{}; });
}

TenantRegistry& Session::registry() {
  if (!registry_) registry_ = store(IfMissing::create).audited_registry(audit_entry(), environment_.clock);
  return *registry_;
}

MadeCopy Session::back_up(const std::filesystem::path& target,
                          FunctionRef<void(const queue::CopyProgress&)> progress) {
  MadeCopy copy;
  const auto record = [&](const std::string& what) {
    change([&](queue::StoreWriter&) { return Changed{1, target.string() + what}; });
  };
  try {
    record(", begun");
  } catch (const SchemaMismatch&
               error) {  // an older one can be copied all the same; what cannot be is refused below
    copy.unrecorded = tenure::text_of(error);
  }
  copy.bytes = environment_.copy_store(settings().store.path, target, progress);
  if (!copy.unrecorded.empty()) return copy;
  try {
    record(fmt::format(", complete, {} bytes", copy.bytes));
  } catch (const std::exception& error) {  // the copy is in its place, and whole
    copy.unrecorded = tenure::text_of(error);
  }
  return copy;
}

std::filesystem::path Session::store_path() {
  return is_offline() ? std::filesystem::path(option("store")) : settings().store.path;
}

queue::SchemaState Session::schema(queue::PageCheck page_check) {
  if (is_offline()) return environment_.look_at_schema_of_copy(store_path(), page_check);
  return opened(settings().store, [&](const config::StoreSettings& from) {
    return environment_.look_at_schema(from.path, page_check);
  });
}

queue::SchemaState Session::migrate() {
  return opened(settings().store, [&](const config::StoreSettings& from) {
    return environment_.migrate_store(from.path, audit_entry());
  });
}

queue::MovedLog Session::checkpoint() {
  return opened(settings().store, [&](const config::StoreSettings& from) {
    return environment_.checkpoint_store(from.path, audit_entry());
  });
}

queue::CompactedStore Session::compact() {
  return opened(settings().store, [&](const config::StoreSettings& from) {
    return environment_.compact_store(from.path, audit_entry());
  });
}

std::optional<queue::RestoreRecord> Session::accept_copy(queue::AcceptRepeats accept) {
  return opened(settings().store, [&](const config::StoreSettings& from) {
    return environment_.accept_copy(from.path, accept, audit_entry());
  });
}

queue::ReadableStore& Session::readable_store() {
  static_cast<void>(opened_store());
  return store_as_of_now_;
}

void Session::StoreAsOfNow::read(FunctionRef<void(queue::JobReader&)> work) {
  session_.opened_store().read([&](queue::JobReader& reader) {
    reader.set_now(session_.now());
    work(reader);
  });
}

queue::ReadableStore& Session::opened_store() {
  if (store_) return *store_;
  if (!readable_store_)
    readable_store_ = opened(settings().store, [&](const config::StoreSettings& from) {
      return environment_.look_at_store(from.path);
    });
  return *readable_store_;
}

void Session::wake() { environment_.wake(settings().store.path); }

void Session::print(std::string_view text) {
  if (!output_.data(text)) throw OutputClosed{};
}

void Session::print_document(std::string_view schema, std::string_view text) {
  print(json() ? text_document(schema, text) : std::string(text));
}

// Every document is an object.
void Session::print_json(std::string_view text) {
  const std::string printable = json::printable(text);
  if (as_of_.empty()) return print(printable + '\n');
  const std::string now = has("now") ? fmt::format("\"now\":\"{}\",", to_rfc3339(style_.now)) : "";
  print(fmt::format("{{\"as_of\":\"{}\",{}{}\n", as_of_, now, printable.substr(1)));
}

void Session::note(std::string_view line) {
  if (!has("quiet") && !json()) output_.message(std::string(line) + '\n');
}

bool Session::messages_can_be_redrawn() const {
  return environment_.messages_are_terminal && variable(environment_, "TERM") != "dumb" && !has("quiet") &&
         !json();
}

void Session::redraw(std::string_view line) {
  const std::size_t before = std::exchange(drawn_, line.size());
  // Blanks and no escape code: every terminal knows them.
  output_.message('\r' + std::string(line) + std::string(before > drawn_ ? before - drawn_ : 0, ' '));
}

void Session::end_redrawing() {
  if (std::exchange(drawn_, 0) > 0) output_.message("\n");
}

std::optional<bool> Session::ask(std::string_view question) {
  if (json() || !environment_.answers_are_terminal || !environment_.messages_are_terminal)
    return std::nullopt;
  output_.message(std::string(question) + " [y/N] ");
  const auto answer = environment_.read_line();
  return answer && (*answer == "y" || *answer == "Y" || *answer == "yes");
}

}  // namespace tenure::cli
