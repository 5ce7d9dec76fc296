#pragma once

#include "../control/controlled.hpp"
#include "../supervisor/worker_host.hpp"
#include "observer.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/exit_code.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/config/load.hpp>
#include <tenure/config/settings.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// What the mains of `tenured` and of worker programs share.
namespace tenure::daemon {

// The whole of a main: what `run` returns, or the exit code of what it throws, with a line on standard error that begins with
// the program's name.
[[nodiscard]] int run_program(const char* name, FunctionRef<int()> run) noexcept;

struct ProgramArguments {
  std::string config_file;  // of --config, or empty
  bool help = false;
  bool version = false;
  std::string problem;  // what cannot be understood, or empty
};
[[nodiscard]] ProgramArguments parse_program_arguments(const std::vector<std::string>& arguments);

struct ProgramSettings {
  config::Settings settings;
  std::filesystem::path file;  // absolute; empty where there is none
  std::vector<config::Problem> warnings;
};
// BadConfiguration with every problem.
[[nodiscard]] ProgramSettings settings_for_program(const std::string& config_option);

// BadConfiguration where there is nothing to perform, with what to do about it; `consequence` is the end of a sentence.
void refuse_without_pools(const ProgramSettings& settings, std::string_view consequence);

// To be called once the log is configured.
void log_warnings(const ProgramSettings& settings);

void configure_log(const config::Settings& settings);

// What a program reads its settings again with, for a reload. Error: why they cannot be used.
using ReadSettings = std::function<config::Settings()>;
void log_refused_settings(const Error& error);
void log_reloaded(const control::Reloaded& reloaded);

// What a dispatcher works by once it has the lock; the settings may have been read again while another one had it.
struct InForce {
  int lock_descriptor = -1;
  const config::Settings& settings;
  const KeyRing& keys;  // of seals
};

// Takes the lock, opens the store and dispatches until told to stop. `make_host` gets the loop's executor and what is in force, which
// lives until then; `make_observer` is called before the lock is asked for, and what it throws ends the start. Returns the exit code.
using MakeHost =
    std::function<std::unique_ptr<WorkerHost>(const boost::asio::any_io_executor&, const InForce&)>;
using MakeObserver = std::function<std::unique_ptr<Observer>(boost::asio::io_context& context,
                                                             const Clock& clock, const config::Settings&)>;
// Called once the dispatcher is there; what it returns goes before the dispatcher does. Of a program that keeps no journal where it
// crashes: nothing.
using GuardJournal = std::function<std::shared_ptr<void>(const journal::Keeper&, WallTime now)>;
[[nodiscard]] int run_dispatcher(config::Settings settings, const ReadSettings& read_settings,
                                 const MakeHost& make_host, const MakeObserver& make_observer,
                                 const GuardJournal& guard_journal = {});

}  // namespace tenure::daemon
