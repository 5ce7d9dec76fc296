#include "../nouns.hpp"
#include "noun_commands.hpp"

#include <array>

namespace tenure::cli {
namespace {

constexpr std::string_view kJobListOptions = "limit after sort columns fail-if-any scan watch";
constexpr std::string_view kJobFields =
    "Filter fields: id state queue kind tenant generation priority attempt crash created due started "
    "finished age error reason batch. See docs/manual/filters.md.";

constexpr std::array kJobCommands{
    Verb{"job", "list", "[FILTER...]", 0, kMany, "the jobs that match, the newest first", kJobFields,
         "tenure job list tenant=acme state=scheduled,held", kJobListOptions, Effect::reads, job_list,
         job_words},
    Verb{"job", "count", "[FILTER...]", 0, kMany, "how many jobs match", kJobFields,
         "tenure job count state=dead 'kind=billing.*'", "fail-if-any scan watch", Effect::reads, job_count,
         job_words},
    Verb{"job", "show", "ID", 1, 1,
         "everything about one job: its attempts, and its arguments as the JSON they are",
         "Masked are the values of members whose names contain password, token or secret, or are among "
         "security.mask of the configuration, also where an error quotes one. --reveal shows them, and "
         "leaves an audit record.",
         "tenure job show 019cae08-9913-7c12-9a44-5b0d7e1f20c3", "reveal reason watch", Effect::reveals,
         job_show},
    Verb{"job", "why", "JOB|[FILTER...]", 0, kMany,
         "why a job does not run, or how many jobs wait for which reason",
         "For one job every reason, the deciding one first, with until when and what changes it. With a "
         "filter the deciding reasons are counted, and each row has the filter that finds its jobs. tenure "
         "why is the same.",
         "tenure job why tenant=acme", "columns fail-if-any scan watch", Effect::reads, job_why, why_words},
    Verb{"job", "group", "[FILTER...]", 0, kMany, "jobs counted by what they have in common",
         "Each row has the filter that finds its jobs, for tenure job retry and others. --by names kind, "
         "error, tenant, queue, state or reason. An error is its first line. Jobs are seen when they have "
         "ended, or were enqueued where they have not.",
         "tenure job group state=dead --by kind,error,tenant", "by limit fail-if-any scan watch",
         Effect::reads, job_group, filter_words},
    Verb{"job", "tail", "[FILTER...]", 0, kMany, "follow jobs: a line for each that has come or changed",
         "Looks once a second at the newest 1,000 that match, or at --limit of them; what happens between "
         "two looks is one change. Ends with Ctrl-C.",
         "tenure job tail tenant=acme", "limit scan", Effect::reads, job_tail, filter_words},
    Verb{"job", "export", "[FILTER...]", 0, kMany, "all jobs that match, one JSON object a line",
         "The oldest first, without a limit; each line has the cursor from which --after goes on. Looks at "
         "all succeeded jobs unless --scan is given.",
         "tenure job export finished=-1d.. > jobs.jsonl", "after scan", Effect::reads, job_export,
         filter_words},
    Verb{"job", "enqueue", "KIND [JSON|-|@FILE]", 0, 2, "enqueue a job by its kind and its arguments as JSON",
         "Prints the job's id; the same --id again is the same job. The JSON is read as strictly as a worker "
         "reads it: exit code 65 names the place that is wrong. Ids of records, {\"$gid\": \"gid://...\"}, "
         "must be of the tenant. - reads standard input. With --lines it reads one job a line, {\"kind\": "
         "..., \"arguments\": {...}} and tenant, id, queue, priority, attempts_max, due, start_before, or "
         "its keys; what a line says counts before the options. Each line gets its result, and bad ones stop "
         "no other. Where another job has the unique key, that one's id is printed and no job is made.",
         "tenure job enqueue billing.close '{\"month\":7}' --tenant acme",
         "tenant queue priority run-in run-at start-before max-attempts id lines concurrency-key running-max "
         "unique-key unique-until global-keys batch reason",
         Effect::changes, job_enqueue},
    Verb{"job", "retry", "ID...|FILTER...", 1, kMany, "make dead, discarded or cancelled jobs ready again",
         "The job keeps its id and history and gets a new budget of attempts. With a filter it counts first, "
         "shows the oldest, and asks; --yes answers, --dry-run stops there. Other states are left alone.",
         "tenure job retry state=dead 'kind=billing.*' finished=-1d.. --yes", "yes dry-run reason",
         Effect::changes, job_retry, job_words},
    Verb{"job", "run", "ID...|FILTER...", 1, kMany, "make scheduled jobs due now",
         "The job keeps its id and its count of failures. It starts when its turn comes, as any job that is "
         "due. Asks as retry does. Other states are left alone.",
         "tenure job run state=scheduled tenant=acme --yes", "yes dry-run reason", Effect::changes, job_run,
         job_words},
    Verb{"job", "cancel", "ID...|FILTER...", 1, kMany, "cancel jobs that wait, and stop those that run",
         "A job that waits ends at once. One that is running is told to stop, and ends as cancelled when its "
         "handler obeys, fails, or is ended at its time limit; one that takes no notice and succeeds has "
         "succeeded. job retry makes a cancelled job ready again. Asks as retry does.",
         "tenure job cancel 'kind=reports.*' tenant=acme --yes", "yes dry-run reason", Effect::changes,
         job_cancel, job_words},
    Verb{"job", "discard", "ID...|FILTER...", 1, kMany, "give up jobs that failed and wait for their retry",
         "The job ends as discarded and keeps its history; job retry makes it ready again. Asks as retry "
         "does. A job that is running is left alone, and so is one that has not failed: see job cancel.",
         "tenure job discard 'error=*no such mailbox*' --yes", "yes dry-run reason", Effect::changes,
         job_discard, job_words},
    Verb{"job", "delete", "ID...|FILTER...", 1, kMany, "remove jobs that have ended, with their history",
         "For jobs that succeeded, are dead, discarded or cancelled. It cannot be undone, so it asks for "
         "named jobs too; --yes answers, --dry-run stops there. What waits or runs is left alone, and so is "
         "the newest job of all, until another one is enqueued. Enqueued again under the same id, a deleted "
         "job runs again.",
         "tenure job delete state=dead finished=..-30d --yes", "yes dry-run reason", Effect::changes,
         job_delete, job_words},
    Verb{"job", "copy", "ID...|FILTER...", 1, kMany, "make a new job of each, due now",
         "The copy has an id of its own, no history and no receipts, so every step runs again. It keeps "
         "tenant, kind, arguments, queue, priority and attempts; a deleted tenant's job is refused. Prints "
         "the id of each and that of its copy. Asks as retry does. Done again, it copies again.",
         "tenure job copy 019cae08-9913-7c12-9a44-5b0d7e1f20c3", "yes dry-run reason", Effect::changes,
         job_copy, job_words},
    Verb{"job", "change", "ID...|FILTER...", 1, kMany,
         "give waiting jobs another queue, priority or due time",
         "For jobs that are scheduled, ready or held. A job that waited for a retry waits for the new time "
         "instead; one that has come makes it ready. Asks as retry does. Other states are left alone.",
         "tenure job change queue=exports --queue reports --yes",
         "queue priority run-in run-at yes dry-run reason", Effect::changes, job_change, job_words},
};

}  // namespace

std::span<const Verb> job_commands() { return kJobCommands; }

}  // namespace tenure::cli
