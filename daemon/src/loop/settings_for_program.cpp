#include "settings_for_program.hpp"

#include <tenure/base/log.hpp>
#include <tenure/config/load.hpp>

#include <unistd.h>

namespace tenure::daemon {

ProgramArguments parse_program_arguments(const std::vector<std::string>& arguments) {
  ProgramArguments result;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--help") {
      result.help = true;
    } else if (argument == "--version") {
      result.version = true;
    } else if (argument.starts_with("--config=")) {
      result.config_file = argument.substr(9);
    } else if (argument == "--config" && i + 1 < arguments.size()) {
      result.config_file = arguments[++i];
    } else {
      result.problem = argument == "--config" ? "--config wants a file" : "unknown argument " + argument;
      return result;
    }
  }
  return result;
}

ProgramSettings settings_for_program(const std::string& config_option) {
  const auto environment = config::environment_of_process();
  std::filesystem::path file = config::config_file_to_read(config_option, environment);
  // Workers get this path and may have another working directory.
  if (!file.empty()) file = std::filesystem::absolute(file);
  return {.settings = config::load_settings({.file = file, .environment = environment}).settings,
          .file = file};
}

void configure_log(const config::Settings& settings) {
  log::Format format = log::format_for_stderr();
  if (settings.log.format == config::LogFormat::text) format = log::Format::text;
  if (settings.log.format == config::LogFormat::json) format = log::Format::json;
  log::configure({.level = settings.log.level,
                  .format = format,
                  .file = settings.log.file.string(),
                  .node = settings.daemon.node});
}

}  // namespace tenure::daemon
