#include "journal/replay_command.hpp"
#include "loop/settings_for_program.hpp"
#include "loop/signals.hpp"
#include "supervisor/heap_pages.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/system.hpp>
#include <tenure/daemon/daemon.hpp>

#include <cstdio>
#include <string>
#include <vector>

namespace {

constexpr const char* kHelp =
    "usage: tenured [--config FILE]\n\n"
    "Dispatches the jobs of one control database to the worker programs of its pools,\n"
    "in the foreground, until SIGTERM or Ctrl-C; then running jobs end first. SIGQUIT\n"
    "gives them back and leaves at once. SIGHUP reads the configuration again,\n"
    "SIGUSR1 opens the log again, SIGUSR2 writes what it does into the log. A second\n"
    "tenured on the same control database stands by and takes over when the first\n"
    "one ends.\n\n"
    "  --config FILE   the configuration; else TENURE_CONFIG, else\n"
    "                  /etc/tenure/tenure.toml; see `tenure config sample`\n"
    "  --replay-journal FILE\n"
    "                  replay a dispatcher's journal, as `tenure replay journal`\n"
    "  --version       print the version\n"
    "  --help          print this text\n\n"
    "Exit codes:\n";

int print_help() {
  std::fputs(kHelp, stdout);
  for (const tenure::ExitCode code : tenure::exit_codes())
    std::printf("  %-3d %s\n", tenure::number_of(code), std::string(tenure::meaning_of(code)).c_str());
  return tenure::number_of(tenure::ExitCode::done);
}

int run(const std::vector<std::string>& given) {
  using namespace tenure::daemon;
  if (!given.empty() && given.front() == journal::kReplayOption)
    return journal::replay_command(given, TENURE_VERSION);
  const ProgramArguments arguments = parse_program_arguments(given);
  if (!arguments.problem.empty()) {
    std::fprintf(stderr, "tenured: %s; try tenured --help\n", arguments.problem.c_str());
    return number_of(tenure::ExitCode::usage);
  }
  if (arguments.help) return print_help();
  if (arguments.version) return std::puts("tenured " TENURE_VERSION), 0;
  const ProgramSettings loaded = settings_for_program(arguments.config_file);
  configure_log(loaded.settings);
  log_warnings(loaded);
  refuse_without_pools(loaded, ", so nothing would ever run");
  return run_daemon(loaded.settings, loaded.file);
}

}  // namespace

int main(int argc, char** argv) {
  tenure::daemon::prefer_huge_pages();
  tenure::daemon::hold_signals_back();
  tenure::fill_standard_streams();
  return tenure::daemon::run_program("tenured", [&] { return run({argv + 1, argv + argc}); });
}
