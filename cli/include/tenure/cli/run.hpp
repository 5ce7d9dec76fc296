#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/exit_code.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/base/line_exchange.hpp>
#include <tenure/base/operator_identity.hpp>
#include <tenure/cli/live_terminal.hpp>
#include <tenure/cli/program_run.hpp>
#include <tenure/queue/copies.hpp>
#include <tenure/queue/sqlite_store.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/queue/upgrade.hpp>
#include <tenure/queue/upkeep.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The command line as a function of its arguments and of the world that it is handed, so that tests run the whole of it in
// their own process. Threads: one call at a time.
namespace tenure::cli {

// Everything that is printed.
class Output {
 public:
  virtual ~Output() = default;
  // Standard output. False where it is closed or full.
  [[nodiscard]] virtual bool data(std::string_view text) = 0;
  // Standard error; nobody can do anything where that fails.
  virtual void message(std::string_view text) = 0;
};

// How a program ended, and what it has said on standard error.
struct ProgramAnswer {
  int exit_code = 0;
  int signal = 0;      // that ended it; 0: none
  std::string errors;  // the first 64 KiB
};

struct Environment {
  const Clock& clock;
  std::vector<std::pair<std::string, std::string>> variables = {};  // names and values
  bool data_is_terminal = false;
  bool messages_are_terminal = false;
  bool answers_are_terminal = false;  // standard input
  int columns = 0;                    // of the terminal; 0 where it is not known
  std::uint64_t descriptors_limit = 0;
  // Whether the tenured of the same build answers HTTP.
  bool has_http = true;
  // Who changes something, for its audit record; asked for then, since it may ask a directory service.
  std::function<OperatorIdentity()> who;

  // A line from standard input; nothing at its end.
  std::function<std::optional<std::string>()> read_line;
  // Bytes of standard input as they come, at most so many; empty at its end. Throws where it cannot be read.
  std::function<std::string(std::size_t bytes_max)> read_input;
  // Waits, for what goes on until it is ended; false: enough.
  std::function<bool(std::chrono::milliseconds)> pause;
  std::function<std::shared_ptr<queue::Store>(const queue::SqliteStoreOptions&)> open_store;
  // The same for commands that only read.
  std::function<std::shared_ptr<queue::ReadableStore>(const std::filesystem::path&)> look_at_store;
  // Whatever open_control_copy and copy_control_database do.
  std::function<queue::ControlCopy(const std::filesystem::path& copy)> open_copy;
  std::function<std::int64_t(const std::filesystem::path& control, const std::filesystem::path& target,
                             FunctionRef<void(const queue::CopyProgress&)> progress)>
      copy_store;
  // Whatever upgrade.hpp does.
  std::function<queue::SchemaState(const std::filesystem::path& control, queue::PageCheck)> look_at_schema;
  std::function<queue::SchemaState(const std::filesystem::path& copy, queue::PageCheck)>
      look_at_schema_of_copy;
  std::function<queue::SchemaState(const std::filesystem::path& control, const queue::AuditEntry& entry)>
      migrate_store;
  // Whatever upkeep.hpp does.
  std::function<queue::MovedLog(const std::filesystem::path& control, const queue::AuditEntry& entry)>
      checkpoint_store;
  std::function<queue::CompactedStore(const std::filesystem::path& control, const queue::AuditEntry& entry)>
      compact_store;
  // Whatever accept_control_copy does.
  std::function<std::optional<queue::RestoreRecord>(const std::filesystem::path& control,
                                                    queue::AcceptRepeats, const queue::AuditEntry& entry)>
      accept_copy;
  // Sends a line to the daemon's control socket and returns the one that it answers within that time.
  std::function<tl::expected<std::string, FailedExchange>(
      const std::filesystem::path& socket, std::string_view line, std::chrono::milliseconds wait_max)>
      ask_daemon;
  // Runs the tenured that lies beside this program, else the one that is found by PATH, to its end. What it prints is passed on as it
  // comes; where `on_output` throws the program ends by its closed output, and that is thrown on. Throws where there is none.
  std::function<ProgramAnswer(const std::vector<std::string>& arguments,
                              FunctionRef<void(std::string_view)> on_output)>
      run_tenured;
  // Where standard input and output are terminals: the one that they are.
  std::function<std::unique_ptr<LiveTerminal>()> open_terminal;
  // Whatever program_run.hpp does.
  std::function<void()> hold_ends;
  std::function<ProgramEnd(const ProgramStart&)> run_program;
  // After a change; `control` is the path of the control database.
  std::function<void(const std::filesystem::path& control)> wake;
};

// `arguments` without the program's name. Returns the number of an ExitCode; throws nothing.
[[nodiscard]] int run_cli(std::span<const std::string> arguments, Output& output, Environment& environment);

}  // namespace tenure::cli
