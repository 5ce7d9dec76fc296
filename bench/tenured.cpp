#include "tenured.hpp"

#include <fmt/format.h>

#include <csignal>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace tenure::bench {
namespace {

constexpr double kPatience = 120;  // seconds without the end of all jobs

std::filesystem::path write_config(const Programs& programs, ScratchFolder& folder,
                                   const std::filesystem::path& control, const std::filesystem::path& tenants,
                                   PoolSize pool) {
  auto config = folder.file("tenure.toml");
  std::ofstream(config) << fmt::format(R"([application]
name = "bench"

[store]
path = "{}"

[tenants]
path = "{}/%{{tenant}}.db"
descriptors_max = 1500

[log]
level = "warning"

[[pool]]
name = "general"
program = "{}"
processes = {}
slots = {}
)",
                                       control.string(), tenants.string(), programs.worker.string(),
                                       pool.processes, pool.slots);
  return config;
}

}  // namespace

Tenured::Tenured(const Programs& programs, ScratchFolder& folder, const std::filesystem::path& control,
                 const std::filesystem::path& tenants, PoolSize pool)
    : programs_(programs),
      config_(write_config(programs, folder, control, tenants, pool)),
      log_(folder.file("tenured.log")) {}

void Tenured::start() {
  process_.emplace(std::vector<std::string>{programs_.tenured.string(), "--config", config_.string()}, log_);
}

void Tenured::stop() {
  process_->signal(SIGTERM);
  process_->wait();
}

void Tenured::kill_and_start_again() {
  process_->kill();
  start();
}

void wait_until_none(Tenured& daemon, sqlite::Connection& control, const sqlite::Query& any_left,
                     std::chrono::milliseconds every) {
  const Stopwatch watch;
  while (control.statement(any_left).row().integer(0) != 0) {
    if (watch.seconds() > kPatience) throw std::runtime_error("the daemon does not come to an end");
    daemon.require_running();
    std::this_thread::sleep_for(every);
  }
}

Drained drain_by(Tenured& daemon, const std::filesystem::path& control, const sqlite::Query& any_left,
                 std::chrono::milliseconds every, std::size_t expected) {
  daemon.start();
  Drained drained;
  {
    sqlite::Connection connection(control, {.access = sqlite::Access::read_only});
    wait_until_none(daemon, connection, any_left, every);
    auto span = connection.statement(kSpan);
    drained.succeeded = span.row().integer(0);
    drained.seconds = static_cast<double>(span.integer(1)) / 1e6;
  }
  daemon.stop();
  if (drained.succeeded != static_cast<std::int64_t>(expected))
    throw std::runtime_error(fmt::format("{} of {} jobs succeeded", drained.succeeded, expected));
  return drained;
}

}  // namespace tenure::bench
