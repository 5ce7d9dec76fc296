#include "settings_for_program.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/sqlite/library_memory.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/config/load.hpp>
#include <tenure/config/log_options.hpp>

#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <exception>
#include <new>
#include <system_error>

namespace tenure::daemon {
namespace {

int ended_by(const char* name, ErrorCode code, const char* what) {
  for (const char* const part : {name, ": ", what, "\n"})
    write_last_words(part);  // there may be no memory to join them
  return number_of(exit_code_of(code));
}

}  // namespace

int run_program(const char* name, FunctionRef<int()> run) noexcept {
  try {
    sqlite::count_no_memory();
    return run();
  } catch (const Error& error) {
    return ended_by(name, error.code(), error.what());
  } catch (const std::system_error& error) {
    return ended_by(name, error_code_of_system(error.code().value()), error.what());
  } catch (const boost::system::system_error& error) {
    return ended_by(name, error_code_of_system(error.code().value()), error.what());
  } catch (const std::bad_alloc&) {
    return ended_by(name, ErrorCode::out_of_memory, "there is not enough memory");
  } catch (const std::exception& error) {
    return ended_by(name, ErrorCode::internal, error.what());
  } catch (...) {
    return ended_by(name, ErrorCode::internal, "something was thrown that is no exception");
  }
}

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
    } else if (argument == "--config") {
      result.config_file = i + 1 < arguments.size() ? arguments[++i] : "";
    } else {
      result.problem = "unknown argument " + escaped(argument);
      return result;
    }
    if (argument.starts_with("--config") && result.config_file.empty()) {
      result.problem = "--config wants a file";
      return result;
    }
  }
  return result;
}

ProgramSettings settings_for_program(const std::string& config_option) {
  const auto environment = config::environment_of_process();
  std::filesystem::path file = config::config_file_to_read(config_option, environment);
  config::LoadedSettings loaded = config::load_settings({.file = file, .environment = environment});
  // Workers get this path and may have another working directory.
  if (!file.empty()) file = std::filesystem::absolute(file);
  return {.settings = std::move(loaded.settings),
          .file = std::move(file),
          .warnings = std::move(loaded.warnings)};
}

void refuse_without_pools(const ProgramSettings& settings, std::string_view consequence) {
  if (!settings.settings.pools.empty()) return;
  if (settings.file.empty())
    raise(ErrorCode::bad_configuration, fmt::format("there is no configuration: name one with --config FILE "
                                                    "or TENURE_CONFIG, or make {} (tenure config "
                                                    "sample prints one)",
                                                    config::kDefaultConfigFile));
  raise(ErrorCode::bad_configuration, fmt::format("the configuration has no [[pool]]{}", consequence), {},
        escaped(settings.file.string()));
}

void log_warnings(const ProgramSettings& settings) {
  for (const config::Problem& warning : settings.warnings)
    log::write(log::Level::warning, "configuration.warning", warning.text());
}

void log_refused_settings(const Error& error) {
  log::write(log::Level::error, "configuration.refused",
             "the configuration cannot be used, and the one before stays in force", {.error = error.what()});
}

std::string replaced_text(const control::Replaced& replaced) {
  return fmt::format(
      "replaces {} process{} of {}: {}", replaced.processes, replaced.processes == 1 ? "" : "es",
      replaced.pool,
      replaced.is_new_program ? "their program's file is another one" : "what they have read is different");
}

void log_reloaded(const control::Reloaded& reloaded) {
  std::string text = reloaded.taken_over.empty()
                         ? "nothing in it is different that a reload can take over"
                         : fmt::format("taken over: {}", fmt::join(reloaded.taken_over, ", "));
  for (const control::Replaced& replaced : reloaded.replaced) text += "; " + replaced_text(replaced);
  log::write(log::Level::info, "configuration.reloaded", text);
  if (!reloaded.waiting.empty())
    log::write(
        log::Level::warning, "configuration.waits",
        fmt::format("changed, and in force from the next start on: {}", fmt::join(reloaded.waiting, ", ")));
}

// Whoever starts the program again would meet the same.
void configure_log(const config::Settings& settings) {
  try {
    log::configure(config::log_options(settings));
  } catch (const Error& error) {
    raise(ErrorCode::bad_configuration, "log.file: " + error.failure().message, {}, error.failure().where);
  }
}

}  // namespace tenure::daemon
