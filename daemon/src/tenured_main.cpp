#include "loop/settings_for_program.hpp"

#include <tenure/base/log.hpp>
#include <tenure/daemon/daemon.hpp>

#include <cstdio>

namespace {

constexpr const char* kHelp =
    "usage: tenured [--config FILE]\n\n"
    "Dispatches the jobs of one control database to the worker programs of its pools, in the foreground, "
    "until SIGTERM or\n"
    "Ctrl-C; then running jobs end first. SIGQUIT gives them back and leaves at once. A second tenured on "
    "the same control\n"
    "database stands by and takes over when the first one ends.\n\n"
    "  --config FILE   the configuration (else TENURE_CONFIG, else /etc/tenure/tenure.toml); see `tenure "
    "config sample`\n"
    "  --version       print the version\n"
    "  --help          print this text\n\n"
    "Exit codes: 0 stopped, 2 usage, 69 store unavailable, 74 a sync failed, 75 lock held, 78 "
    "configuration.\n";

}  // namespace

int main(int argc, char** argv) {
  using namespace tenure::daemon;
  const ProgramArguments arguments = parse_program_arguments({argv + 1, argv + argc});
  if (!arguments.problem.empty()) {
    std::fprintf(stderr, "tenured: %s; try tenured --help\n", arguments.problem.c_str());
    return kExitUsage;
  }
  if (arguments.help) return std::fputs(kHelp, stdout), 0;
  if (arguments.version) return std::puts("tenured " TENURE_VERSION), 0;
  try {
    const ProgramSettings loaded = settings_for_program(arguments.config_file);
    configure_log(loaded.settings);
    if (loaded.settings.pools.empty())
      tenure::raise(tenure::ErrorCode::bad_configuration,
                    "the configuration has no [[pool]], so nothing would ever run");
    return run_daemon(loaded.settings, loaded.file);
  } catch (const tenure::Error& error) {
    std::fprintf(stderr, "tenured: %s\n", error.what());
    return exit_code_of(error.code());
  }
}
