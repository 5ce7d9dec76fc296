// The worker of kill_processes.sh. With KILL_WORKER_ONCE=no effects go in without the mark of `once`: the control run.
#include "effect_job.hpp"

#include <tenure/worker.hpp>

#include <cstdlib>
#include <string_view>

namespace {

using tenure::reliability::Effect;

constexpr std::string_view kInsert = "insert into effect (id, tenant) values (?, ?)";

bool marks_its_effects() {
  const char* setting = std::getenv("KILL_WORKER_ONCE");
  return setting == nullptr || std::string_view{setting} != "no";
}

void effect(const Effect& job, tenure::JobContext& context) {
  static const bool once = marks_its_effects();
  if (once)
    context.once("effect", [&](tenure::JobTransaction& transaction) {
      transaction.execute(kInsert, job.id, job.tenant);
    });
  else
    context.write(
        [&](tenure::TenantTransaction& transaction) { transaction.execute(kInsert, job.id, job.tenant); });
}

}  // namespace

int main(int argc, char** argv) {
  tenure::JobRegistry jobs;
  jobs.add<Effect>(effect);
  return tenure::worker_main(argc, argv, jobs, {.version = "reliability 1"});
}
