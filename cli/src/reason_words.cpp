#include "reason_words.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tenure::cli {
namespace {

using queue::JobReason;
using queue::JobRecord;

// {id} {kind} {queue} {tenant} and {tenant_state} are those of the job, {refused} is what is wrong with its row.
struct ReasonWords {
  JobReason reason;
  std::string_view text;
  std::string_view until;
  std::string_view change;
};

constexpr std::array kReasonWords{
    ReasonWords{JobReason::none, "its run, which succeeded", "", ""},
    ReasonWords{JobReason::not_due, "its time", "", "tenure job run {id}"},
    ReasonWords{JobReason::retry_wait, "its retry", "", "tenure job run {id}"},
    ReasonWords{JobReason::put_off, "the time that its handler or its kind has said", "",
                "tenure job run {id}"},
    ReasonWords{JobReason::envelope_newer, "a worker program that can read its envelope",
                "a worker process of a newer program says hello",
                "put the newer program in its place, then: systemctl reload tenured"},
    ReasonWords{JobReason::suspect,
                "its turn to run by itself, since the daemon or its worker process died under it",
                "the suspects before it have had theirs", "tenure job cancel {id}"},
    ReasonWords{JobReason::limit_key, "its concurrency key, which as many jobs have as may run",
                "those before it have had it, and one that has it ends", ""},
    ReasonWords{JobReason::schedule_overlap, "the end of the job of its schedule before it",
                "that job has ended", "tenure job cancel {id}"},
    ReasonWords{JobReason::tenant_paused, "its tenant, which is paused", "somebody resumes it",
                "tenure tenant resume {tenant}"},
    ReasonWords{JobReason::tenant_read_only, "tenant {tenant_state}", "its tenant is active",
                "tenure tenant set {tenant} read_only=false"},
    ReasonWords{JobReason::tenant_not_ready, "tenant {tenant_state}", "its tenant is active", ""},
    ReasonWords{JobReason::tenant_deleted, "nobody, since its tenant is deleted", "",
                "tenure job cancel {id}"},
    ReasonWords{JobReason::queue_paused, "its queue, which is paused", "somebody resumes it",
                "tenure queue resume {queue}"},
    ReasonWords{JobReason::kind_paused, "its kind, which is paused", "somebody resumes it",
                "tenure kind resume {kind}"},
    ReasonWords{JobReason::limit_cap, "a limit, of which as many run as may", "one of them ends", ""},
    ReasonWords{JobReason::limit_rate, "a limit, of which as many have started as may", "its time has passed",
                ""},
    ReasonWords{JobReason::no_dispatcher, "a dispatcher, and none is seen to run", "tenured runs",
                "systemctl start tenured"},
    ReasonWords{JobReason::kind_unknown, "a worker that knows the kind",
                "a worker process of its pools has a handler for {kind}",
                "put a program that has it in place, then: systemctl reload tenured"},
    ReasonWords{JobReason::schema_behind, "a migration of its tenant's database",
                "its tenant is migrated, or a worker process works with older tables",
                "tenure tenant migrate name={tenant}"},
    ReasonWords{JobReason::queue_without_pool, "a pool that lists the queue",
                "a pool of tenured lists {queue}",
                "add it to queues of a [[pool]], then: systemctl restart tenured"},
    ReasonWords{JobReason::tenant_without_pool, "a pool that takes its tenant",
                "a pool of tenured that lists {queue} takes tenant {tenant}",
                "change tenants of a [[pool]], then: systemctl reload tenured"},
    ReasonWords{JobReason::pool_without_worker, "a worker of its pool",
                "a worker process of its pools has said hello",
                "journalctl -u tenured says why none does: worker.restart_delayed, worker.hung"},
    ReasonWords{JobReason::tenant_busy, "its tenant, whose jobs were given back a moment ago",
                "one that is tried ends otherwise, each 30 s at the latest",
                "put right what the error names"},
    ReasonWords{JobReason::tenant_turn, "its turn", "those before it have started", ""},
    ReasonWords{JobReason::slots_full, "a slot, of which all are taken", "a job of its pools ends",
                "give a [[pool]] more slots or processes, then: systemctl reload tenured"},
    ReasonWords{JobReason::slots_reserved, "a slot, of which the free ones are kept for better priorities",
                "a job of its pools ends", "change reserved of a [[pool]], then: systemctl reload tenured"},
    ReasonWords{JobReason::row_refused, "nobody: {refused}", "", "tenure job cancel {id}"},
    ReasonWords{JobReason::attempts_exhausted, "its attempts, of which the last has failed", "",
                "tenure job retry {id}"},
    ReasonWords{JobReason::permanent_error, "an error that no retry heals", "", "tenure job retry {id}"},
    ReasonWords{JobReason::poison, "its crashes: it ended its worker process, or the daemon, too often", "",
                "tenure job retry {id}"},
    ReasonWords{JobReason::expired, "its start-before time, which had passed", "", "tenure job retry {id}"},
    ReasonWords{JobReason::by_rule, "a rule of its kind, or its handler", "", "tenure job retry {id}"},
    ReasonWords{JobReason::time_exhausted, "the time for its retries, which is over", "",
                "tenure job retry {id}"},
    ReasonWords{JobReason::generation,
                "an operator: its tenant was put back from a copy, and is of a later generation",
                "it is re-stamped or cancelled", "tenure tenant reconcile {tenant}"},
    ReasonWords{JobReason::by_operator, "an operator", "", "tenure job retry {id}"},
};

// A reason that a damaged row holds is none of them.
constexpr ReasonWords kUnknownWords{JobReason::none, "what its row does not say", "", ""};

const ReasonWords& words_of(JobReason reason) {
  const auto* const found = std::ranges::find(kReasonWords, reason, &ReasonWords::reason);
  return found == kReasonWords.end() ? kUnknownWords : *found;
}

std::string filled(std::string_view text, const JobRecord& job) {
  return fmt::format(fmt::runtime(text), fmt::arg("id", job.id.text()), fmt::arg("kind", escaped(job.kind)),
                     fmt::arg("queue", escaped(job.queue)),
                     fmt::arg("tenant", job.tenant ? escaped(job.tenant->text()) : "none"),
                     fmt::arg("tenant_state", name_of(job.tenant_state)),
                     fmt::arg("refused", escaped(job.refused)));
}

}  // namespace

std::string reason_text(JobReason reason, const JobRecord& job) { return filled(words_of(reason).text, job); }

std::string until_text(JobReason reason, const JobRecord& job) { return filled(words_of(reason).until, job); }

std::string change_text(JobReason reason, const JobRecord& job) {
  // What its creator has left behind is gone on with.
  if (reason == JobReason::tenant_not_ready && job.tenant_state == TenantState::provisioning)
    return filled("tenure tenant create {tenant}", job);
  return filled(words_of(reason).change, job);
}

}  // namespace tenure::cli
