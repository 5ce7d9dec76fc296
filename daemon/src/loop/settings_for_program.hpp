#pragma once

#include "../supervisor/worker_host.hpp"

#include <tenure/base/exit_code.hpp>
#include <tenure/config/settings.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

// What the mains of `tenured` and of worker programs share.
namespace tenure::daemon {

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
};
// BadConfiguration with every problem. Warnings go to the log once it is configured.
[[nodiscard]] ProgramSettings settings_for_program(const std::string& config_option);

void configure_log(const config::Settings& settings);

// Takes the lock, opens the store and dispatches until told to stop. `make_host` gets the loop's executor and the
// lock's descriptor. Returns the exit code.
using MakeHost =
    std::function<std::unique_ptr<WorkerHost>(const boost::asio::any_io_executor&, int lock_descriptor)>;
[[nodiscard]] int run_dispatcher(const config::Settings& settings, const MakeHost& make_host);

}  // namespace tenure::daemon
