#include "../loop/settings_for_program.hpp"
#include "../loop/signals.hpp"
#include "../protocol/slot_board.hpp"
#include "crash_signals.hpp"
#include "in_process_host.hpp"
#include "migrate_mode.hpp"
#include "replay_mode.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/log_descriptor.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/base/sqlite/open_databases.hpp>
#include <tenure/base/system.hpp>
#include <tenure/config/capsule_folder.hpp>
#include <tenure/config/load.hpp>
#include <tenure/daemon/daemon.hpp>
#include <tenure/daemon/worker.hpp>
#include <tenure/daemon/worker_environment.hpp>
#include <tenure/replay/capsule.hpp>
#include <tenure/tenancy/migrations.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <string>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tenure {
namespace daemon {
namespace {

std::optional<int> number_in(std::string_view variable) {
  const char* text = std::getenv(std::string{variable}.c_str());
  if (text == nullptr) return std::nullopt;
  int number = 0;
  const std::string_view view{text};
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), number);
  if (error != std::errc{} || end != view.data() + view.size() || number < 0) return std::nullopt;
  return number;
}

std::string text_in(std::string_view variable) {
  const char* text = std::getenv(std::string{variable}.c_str());
  return text == nullptr ? "" : text;
}

// What the daemon says by variables, which are gone afterwards: they are not for programs that job code starts.
struct WorkerEnvironment {
  std::optional<int> socket = number_in(kWorkerSocketVariable);
  std::optional<int> parent = number_in(kWorkerParentVariable);
  std::optional<int> log = number_in(kWorkerLogVariable);
  std::optional<int> board = number_in(kWorkerBoardVariable);
  std::optional<int> keys = number_in(kWorkerKeysVariable);
  std::string pool = text_in(kWorkerPoolVariable);
  std::vector<std::pair<std::string, std::string>> settings = {};
};
WorkerEnvironment take_environment() {
  WorkerEnvironment environment;
  for (auto& [name, value] : config::environment_of_process()) {
    if (!name.starts_with(kWorkerPrefix)) continue;
    ::unsetenv(name.c_str());
    if (name.starts_with(kWorkerSettingPrefix))
      environment.settings.emplace_back(name.substr(kWorkerSettingPrefix.size()), std::move(value));
  }
  return environment;
}

// Those in force in the daemon, which an edited file does not change.
config::Settings settings_of(const WorkerEnvironment& environment) {
  if (environment.settings.empty())
    raise(ErrorCode::bad_configuration,
          "tenured has said by no variable which settings are in force: it is older than this worker "
          "program, so restart it");
  return config::load_settings({.environment = environment.settings}).settings;
}

// First thing of all: from here on we cannot outlive the daemon. It may have died before the call; then we have another
// parent already.
bool die_with_parent(std::optional<int> parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  return parent && *parent == ::getppid();
}

// The daemon watches, and its end ends, the process that it has started itself.
int refuse_wrapper(const std::string& pool) {
  log::write(log::Level::error, "worker.wrapped",
             "tenured has not started this process itself, or is gone; a script that starts the worker "
             "program must end with `exec`",
             {.pool = pool});
  return 1;
}

// Job code may start programs of its own; they must not get the socket.
void keep_from_children(int descriptor) { ::fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

void handle_signal(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(number, &action, nullptr);
  default_in_children(number);
}

// Becomes readable when the process is told to end.
std::atomic<int> told_to_end{-1};

void note_told_to_end(int) {
  const int error = errno;
  const std::uint64_t once = 1;
  static_cast<void>(!::write(told_to_end, &once, sizeof once));
  errno = error;
}

// Mapped, and then closed: neither a handler nor a program that one starts can do anything to it.
std::unique_ptr<SlotBoard> take_board(std::optional<int> number) {
  if (!number) return nullptr;
  const Descriptor given{*number};
  return std::make_unique<SlotBoard>(given.number());
}

// Read and closed before any handler runs. A program that cannot have keys performs nothing where they are in force.
KeyRing take_keys(std::optional<int> number) {
  if (!number) return {};
  const Descriptor given{*number};
  auto keys = KeyRing::read_from(given.number());
  if (!keys)
    raise(ErrorCode::bad_configuration, "what tenured handed on as keys of seals " + keys.error().message);
  return *std::move(keys);
}

// A terminal sends its signals to all processes of the group; when to stop is the daemon's to say, and SIGTERM asks it. An empty handler
// and not SIG_IGN, which programs that job code starts would inherit.
void leave_signals_to_the_daemon() {
  for (const int number : {SIGINT, SIGQUIT, SIGHUP, SIGUSR2, SIGPIPE, SIGXFSZ})
    handle_signal(number, [](int) {});
  handle_signal(SIGTERM, note_told_to_end);
  handle_signal(SIGUSR1, [](int) { log::reopen_at_next_line(); });
  let_signals_through();
}

// A tenant that somebody else has locked must not fill the slots: its job goes back and comes again.
constexpr std::chrono::milliseconds kLockWaitMax{100};

HandleCacheOptions handle_options(const config::Settings& settings) {
  return {.descriptors_max = static_cast<int>(settings.tenants.descriptors_max),
          .wait_max = settings.tenants.handle_wait,
          .lock_wait_max = kLockWaitMax,
          .application = settings.application.name};
}

std::vector<sqlite::Migration> migrations_of(const config::Settings& settings) {
  if (settings.tenants.migrations.empty()) return {};
  return read_migrations(settings.tenants.migrations);
}

PerformerOptions performing(const config::Settings& settings, KeyRing keys, const WorkerOptions& options) {
  return {.application = settings.application.name,
          .mask = queue::Mask(settings.security.mask),
          .keys = std::move(keys),
          .payload_max = settings.store.payload_max,
          .capture = {.folder = config::capsule_folder(settings),
                      .limits = {.bytes_max = static_cast<std::int64_t>(settings.replay.capsule_max),
                                 .folder_bytes_max = static_cast<std::int64_t>(settings.replay.folder_max)},
                      .program_version = options.version},
          .migrations = migrations_of(settings),
          .migrate_on_touch = settings.tenants.migrate_on_touch};
}

int run_managed(const WorkerEnvironment& environment, const JobRegistry& jobs, const WorkerOptions& options) {
  const bool is_child = die_with_parent(environment.parent);
  keep_from_children(*environment.socket);
  if (environment.log) {
    keep_from_children(*environment.log);
    log::use_as_standard_error(*environment.log);
  }
  if (!is_child) {
    configure_log(settings_of(environment));
    return refuse_wrapper(environment.pool);
  }
  const Descriptor end_asked{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!end_asked.is_open()) raise_system(errno, "no descriptor for the end that is asked for", {});
  told_to_end = end_asked.number();
  leave_signals_to_the_daemon();
  note_crashes();

  KeyRing keys = take_keys(environment.keys);
  const config::Settings settings = settings_of(environment);
  configure_log(settings);
  const auto board = take_board(environment.board);
  replay::remove_unfinished(config::capsule_folder(settings));
  HandleCache handles(TenantFiles{settings.tenants.path}, handle_options(settings));
  const RealClock clock;
  const bool was_drained =
      run_worker(*environment.socket, {.jobs = jobs,
                                       .handles = handles,
                                       .clock = clock,
                                       .performing = performing(settings, std::move(keys), options),
                                       .program_version = options.version,
                                       .told_to_end = end_asked.number(),
                                       .board = board.get()});
  told_to_end = -1;  // the descriptor is closed next
  return was_drained ? 0 : 1;
}

// Into a pipe or a file the C library writes when 4 KiB have come together: what a job prints would come hours later, or never.
void write_whole_lines() {
  if (::isatty(STDOUT_FILENO) != 1) std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
}

void print_help(const char* program) {
  std::printf(
      "usage: %s [--config FILE]\n\n"
      "A worker program of Tenure. Under tenured it is started by the daemon. Started by\n"
      "hand it dispatches and performs the jobs of its configuration's first pool in\n"
      "this one process, until Ctrl-C or SIGTERM; then it lets the running jobs end. It\n"
      "refuses to start while a tenured, or another one, holds the control database.\n"
      "Jobs of queues that this pool does not list wait, though other pools list them.\n"
      "A job that crashes ends it: only tenured puts a wall between jobs and the\n"
      "dispatcher. Started again, it finds out which job that was.\n\n"
      "  --config FILE   the configuration; else TENURE_CONFIG, else\n"
      "                  /etc/tenure/tenure.toml\n"
      "  --version       print the version of this program\n"
      "  --help          print this text\n",
      program);
}

config::Settings settings_alone(const ProgramSettings& loaded) {
  refuse_without_pools(loaded, "; it says which queues this program serves");
  config::Settings settings = loaded.settings;
  settings.pools.resize(1);
  settings.pools.front().processes = 1;
  settings.pools.front().jobs_max = 0;  // there is no other process that could take its place
  // Whoever starts a program by hand wants to see at once that he cannot.
  settings.daemon.when_held = config::WhenHeld::exit;
  return settings;
}

int run_alone(const std::string& config_option, const JobRegistry& jobs, const WorkerOptions& options) {
  const ProgramSettings loaded = settings_for_program(config_option);
  configure_log(loaded.settings);
  log_warnings(loaded);
  const config::Settings settings = settings_alone(loaded);
  const auto read_settings = [file = loaded.file] {
    return settings_alone(settings_for_program(file.string()));
  };

  replay::remove_unfinished(config::capsule_folder(settings));
  HandleCache handles(TenantFiles{settings.tenants.path}, handle_options(settings));
  const RealClock clock;
  WorkerSetup setup{.jobs = jobs,
                    .handles = handles,
                    .clock = clock,
                    .performing = performing(settings, {}, options),
                    .program_version = options.version};
  log::write(log::Level::info, "worker.alone",
             "performing in this process for the pool " + settings.pools.front().name +
                 ", the first one: a job that crashes ends it");
  return run_dispatcher(
      settings, read_settings,
      [&](const boost::asio::any_io_executor& executor, const InForce& in_force) {
        setup.lock_descriptor = in_force.lock_descriptor;
        setup.performing.keys = in_force.keys;
        return std::make_unique<InProcessHost>(executor, setup);
      },
      [](auto&&...) { return std::make_unique<NoObserver>(); });
}

}  // namespace
}  // namespace daemon

int worker_main(int argc, char** argv, const JobRegistry& jobs, const WorkerOptions& options) {
  using namespace daemon;
  hold_signals_back();
  fill_standard_streams();
  write_whole_lines();
  return run_program(argv[0], [&] {
    if (const auto replay = take_replay_request()) return run_replay(*replay, jobs, options);
    if (const auto migrations = take_migration_request()) return run_migrations(*migrations, jobs);
    sqlite::refuse_open_databases("worker_main");
    const WorkerEnvironment environment = take_environment();
    if (environment.socket) return run_managed(environment, jobs, options);
    const ProgramArguments arguments = parse_program_arguments({argv + 1, argv + argc});
    if (!arguments.problem.empty()) {
      std::fprintf(stderr, "%s: %s; try --help\n", argv[0], arguments.problem.c_str());
      return number_of(ExitCode::usage);
    }
    if (arguments.help) return print_help(argv[0]), 0;
    if (arguments.version) return std::printf("%s\n", options.version.c_str()), 0;
    return run_alone(arguments.config_file, jobs, options);
  });
}

}  // namespace tenure
