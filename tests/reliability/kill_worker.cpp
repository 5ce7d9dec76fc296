// The worker of kill_processes.sh. With KILL_OUTBOXES=yes each effect has a follow-up. With KILL_WORKER_ONCE=no effects go in without the mark of `once`: the control run.
#include "effect_job.hpp"

#include <tenure/worker.hpp>

#include <cstdlib>
#include <string_view>

namespace {

using tenure::reliability::Effect;
using tenure::reliability::FollowUp;

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
      if (tenure::reliability::uses_outboxes()) transaction.enqueue(FollowUp{job.id});
    });
  else
    context.write(
        [&](tenure::TenantTransaction& transaction) { transaction.execute(kInsert, job.id, job.tenant); });
}

void follow_up(const FollowUp& job, tenure::JobContext& context) {
  context.once("follow up", [&](tenure::JobTransaction& transaction) {
    transaction.execute("insert into follow_up (id) values (?)", job.id);
  });
}

}  // namespace

int main(int argc, char** argv) {
  tenure::JobRegistry jobs;
  jobs.add<Effect>(effect);
  jobs.add<FollowUp>(follow_up);
  return tenure::worker_main(argc, argv, jobs, {.version = "reliability 1"});
}
