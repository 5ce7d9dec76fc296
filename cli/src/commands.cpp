#include "commands.hpp"

#include "nouns.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace tenure::cli {
namespace {

constexpr std::array kNouns{
    Noun{"job", "look at jobs, enqueue, retry, run, change, cancel or delete them"},
    Noun{"tenant", "list, create, pause and delete tenants, and what leaves them"},
    Noun{"queue", "how full each queue is, and clearing one"},
    Noun{"kind", "how many jobs of each kind there are"},
    Noun{"worker", "the worker processes of the daemon that runs"},
    Noun{"schedule", "recurring jobs: when they are due, and what became of them"},
    Noun{"batch", "jobs that belong together, and what is done when they have ended"},
    Noun{"fan-out", "one job for each tenant, and how far it has come"},
    Noun{"limit", "how many run at a time and start in a time, and who holds them"},
    Noun{"store", "the control database"},
    Noun{"replay", "runs and decisions that were kept, and what they give once more"},
    Noun{"config", "the configuration file and what is in force"},
};

constexpr std::array kShorthands{
    Shorthand{"why", "job", "why"},
    Shorthand{"doctor", "store", "doctor"},
    Shorthand{"top", "worker", "top"},
};

constexpr std::string_view kListOptions = "limit after sort columns fail-if-any watch";
constexpr std::string_view kJobListOptions = "limit after sort columns fail-if-any scan watch";
constexpr std::size_t kMany = kArgumentsMax;
constexpr std::string_view kJobFields =
    "Filter fields: id state queue kind tenant generation priority attempt crash created due started "
    "finished age error reason batch. See docs/manual/filters.md.";

constexpr std::size_t kChecksMax = 64;
constexpr std::string_view kDoctorDetails =
    "Checks: store sqlite holder places audit seal queues kinds quiet released dangling tenants outbox "
    "captures schedules limits batches fan-outs retention restore, and stamps, "
    "which opens each tenant's database and is done only when it is named. quiet asks the daemon. Exit code "
    "1 "
    "where one of them fails. --fix removes "
    "rows that belong to no job, makes jobs ready that are blocked without cause, and removes summaries of "
    "tenants that are wrong; nothing else is changed, and each has an audit record. --rebuild-registry looks "
    "at the stamp of each file at a tenant's place and in the graveyard, and registers what the registry has "
    "lost.";

constexpr std::array kVerbs{
    Verb{"job", "list", "[FILTER...]", 0, kMany, "the jobs that match, the newest first", kJobFields,
         "tenure job list tenant=acme state=scheduled,held", kJobListOptions, Effect::reads, job_list,
         job_words},
    Verb{"job", "count", "[FILTER...]", 0, kMany, "how many jobs match", kJobFields,
         "tenure job count state=dead 'kind=billing.*'", "fail-if-any scan watch", Effect::reads, job_count,
         job_words},
    Verb{
        "job", "show", "ID", 1, 1,
        "everything about one job: its attempts, and its arguments as the JSON they are",
        "Masked are the values of members whose names contain password, token or secret, or are among "
        "security.mask of the configuration, also where an error quotes one. --reveal shows them, and leaves "
        "an audit record.",
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
         "error, "
         "tenant, queue, state or reason. An error is its first line. Jobs are seen when they have ended, or "
         "were enqueued where they have not.",
         "tenure job group state=dead --by kind,error,tenant", "by limit fail-if-any scan watch",
         Effect::reads, job_group, filter_words},
    Verb{
        "job", "tail", "[FILTER...]", 0, kMany, "follow jobs: a line for each that has come or changed",
        "Looks once a second at the newest 1,000 that match, or at --limit of them; what happens between two "
        "looks is one change. Ends with Ctrl-C.",
        "tenure job tail tenant=acme", "limit scan", Effect::reads, job_tail, filter_words},
    Verb{"job", "export", "[FILTER...]", 0, kMany, "all jobs that match, one JSON object a line",
         "The oldest first, without a limit; each line has the cursor from which --after goes on. Looks at "
         "all "
         "succeeded jobs unless --scan is given.",
         "tenure job export finished=-1d.. > jobs.jsonl", "after scan", Effect::reads, job_export,
         filter_words},
    Verb{
        "job", "enqueue", "KIND [JSON|-|@FILE]", 0, 2, "enqueue a job by its kind and its arguments as JSON",
        "Prints the job's id; the same --id again is the same job. The JSON is read as strictly as a worker "
        "reads it: exit code 65 names the place that is wrong. Ids of records, {\"$gid\": \"gid://...\"}, "
        "must be "
        "of the tenant. - reads standard input. With --lines it reads one job a line, {\"kind\": ..., "
        "\"arguments\": {...}} and tenant, id, queue, priority, attempts_max, due, start_before, or its "
        "keys; what a "
        "line says "
        "counts before the options. Each line gets its result, and bad ones stop no other. Where another job "
        "has the unique key, that one's id is printed and no job is made.",
        "tenure job enqueue billing.close '{\"month\":7}' --tenant acme",
        "tenant queue priority run-in run-at start-before max-attempts id lines concurrency-key running-max "
        "unique-key "
        "unique-until global-keys batch reason",
        Effect::changes, job_enqueue},
    Verb{"job", "retry", "ID...|FILTER...", 1, kMany, "make dead, discarded or cancelled jobs ready again",
         "The job keeps its id and history and gets a new budget of attempts. With a filter it counts first, "
         "shows the oldest, and asks; --yes answers, --dry-run stops there. Other states are left alone.",
         "tenure job retry state=dead 'kind=billing.*' finished=-1d.. --yes", "yes dry-run reason",
         Effect::changes, job_retry, job_words},
    Verb{"job", "run", "ID...|FILTER...", 1, kMany, "make scheduled jobs due now",
         "The job keeps its id and its count of failures. It starts when its turn comes, as any job that is "
         "due. Asks as "
         "retry does. Other states are left alone.",
         "tenure job run state=scheduled tenant=acme --yes", "yes dry-run reason", Effect::changes, job_run,
         job_words},
    Verb{"job", "cancel", "ID...|FILTER...", 1, kMany, "cancel jobs that wait, and stop those that run",
         "A job that waits ends at once. One that is running is told to stop, and ends as cancelled when "
         "its handler obeys, fails, or is ended at its time limit; one that takes no notice and succeeds "
         "has succeeded. job retry makes a cancelled job ready again. Asks as retry does.",
         "tenure job cancel 'kind=reports.*' tenant=acme --yes", "yes dry-run reason", Effect::changes,
         job_cancel, job_words},
    Verb{"job", "discard", "ID...|FILTER...", 1, kMany, "give up jobs that failed and wait for their retry",
         "The job ends as discarded and keeps its history; job retry makes it ready again. Asks as retry "
         "does. A job "
         "that is running is left alone, and so is one that has not failed: see job cancel.",
         "tenure job discard 'error=*no such mailbox*' --yes", "yes dry-run reason", Effect::changes,
         job_discard, job_words},
    Verb{"job", "delete", "ID...|FILTER...", 1, kMany, "remove jobs that have ended, with their history",
         "For jobs that succeeded, are dead, discarded or cancelled. It cannot be undone, so it asks for "
         "named jobs "
         "too; --yes answers, --dry-run stops there. What waits or runs is left alone, and so is the newest "
         "job of "
         "all, until another one is enqueued. Enqueued again under the same id, a deleted job runs again.",
         "tenure job delete state=dead finished=..-30d --yes", "yes dry-run reason", Effect::changes,
         job_delete, job_words},
    Verb{"job", "copy", "ID...|FILTER...", 1, kMany, "make a new job of each, due now",
         "The copy has an id of its own, no history and no receipts, so every step runs again. It keeps "
         "tenant, "
         "kind, arguments, queue, priority and attempts; a deleted tenant's job is refused. Prints the id of "
         "each and that of its copy. Asks as retry does. Done again, it copies again.",
         "tenure job copy 019cae08-9913-7c12-9a44-5b0d7e1f20c3", "yes dry-run reason", Effect::changes,
         job_copy, job_words},
    Verb{"job", "change", "ID...|FILTER...", 1, kMany,
         "give waiting jobs another queue, priority or due time",
         "For jobs that are scheduled, ready or held. A job that waited for a retry waits for the new time "
         "instead; "
         "one that has come makes it ready. Asks as retry does. Other states are left alone.",
         "tenure job change queue=exports --queue reports --yes",
         "queue priority run-in run-at yes dry-run reason", Effect::changes, job_change, job_words},
    Verb{"tenant", "list", "[FILTER...]", 0, kMany, "the tenants and their jobs",
         "Filter fields: name state generation ready held running dead oldest written. By written, when its "
         "database was written to last, files are looked at.",
         "tenure tenant list written=-1h.. --columns name,written", kListOptions, Effect::reads, tenant_list,
         tenant_words},
    Verb{"tenant", "show", "NAME", 1, 1, "one tenant and its jobs",
         "From the control database; the tenant's own is not opened.", "tenure tenant show acme", "watch",
         Effect::reads, tenant_show},
    Verb{"tenant", "create", "NAME...", 1, kMany, "make tenants, each with a database of its own",
         "Makes the control database too where there is none, unless --store names it.",
         "tenure tenant create acme", "reason", Effect::changes, tenant_create},
    Verb{
        "tenant", "backup", "NAME FILE|[FILTER...]", 0, kMany,
        "copy tenants' databases as they are now, while others write to them",
        "A copy is whole or not there, on disk, looked through, and for its owner's eyes only; nothing is "
        "overwritten. It says of which tenant, generation and time it is. With --folder all tenants that "
        "match are copied, each to NAME.GENERATION.db; given again it goes on with those that are not there. "
        "One that fails stops no other; exit code 1 then. See docs/manual/backups.md.",
        "tenure tenant backup --folder /backup/2026-03-02 --rate 20MiB/s", "folder rate dry-run reason",
        Effect::changes, tenant_backup, tenant_words},
    Verb{"tenant", "restore", "NAME FILE", 2, 2, "put a copy in the place of a tenant's database",
         "As a new generation: whoever has the old database open commits nothing any more. Jobs that run may "
         "end until --drain, 30s unless given, and are told to stop then; jobs that wait are blocked until "
         "tenure tenant reconcile. The old database goes to the graveyard for as long as tenants.undo_window "
         "says. Refused where the copy is of another tenant or application, damaged, or newer than this "
         "program. Where it was interrupted, give it again.",
         "tenure tenant restore acme /backup/acme.db --yes", "drain yes dry-run reason", Effect::changes,
         tenant_restore},
    Verb{"tenant", "reconcile", "NAME [FILTER...]", 1, kMany,
         "what became of a tenant's jobs when a copy was put in place of its database",
         "Lists jobs of older generations that wait, and those that have ended since the copy was made, so "
         "that it does not hold what they did. --restamp lets those that wait run in the newest generation, "
         "--cancel ends them, --rerun has those run again that have ended; what the copy has receipts of is "
         "not repeated. The rest is left. Asks; --yes answers. Filter fields are those of job list.",
         "tenure tenant reconcile acme --restamp --yes",
         "restamp rerun cancel limit columns yes dry-run reason", Effect::reconciles, tenant_reconcile,
         job_words},
    Verb{"tenant", "clone", "NAME NEW", 2, 2, "make a new tenant with a copy of another one's database",
         "While others write to that, or with --copy from a copy that was made before. The new one has no "
         "jobs, nothing in its outbox and no receipts. Ids that the application has stored with the name of "
         "the old tenant are the application's to change.",
         "tenure tenant clone acme acme-test", "copy dry-run reason", Effect::changes, tenant_clone},
    Verb{"tenant", "migrate", "[FILTER...]", 0, kMany, "bring tenants' databases to newer tables",
         "Carries out the files of tenants.migrations that a database has not had, each in a transaction: "
         "killed and given again it goes on where it was. Meanwhile nobody else writes to that tenant. One "
         "that fails stops no other; after a wave with more failures than --max-failures the rest is left as "
         "it is. One that is read-only is left out. --dry-run migrates copies. Steps that have C++ code want "
         "--program. Asks for several tenants; exit code 1 where one of them has failed or is left.",
         "tenure tenant migrate --to 42 --waves 1%,10%,100% --parallel 4",
         "to waves parallel max-failures program yes dry-run reason", Effect::changes, tenant_migrate,
         tenant_words},
    Verb{
        "tenant", "check", "[FILTER...]", 0, kMany, "compare tenants' tables with those of their migrations",
        "Opens each tenant's database: how many have had how many of the files of tenants.migrations, and "
        "which have tables, indexes, views or triggers that those files do not make, or lack some. Exit code "
        "1 where one has, or cannot be opened.",
        "tenure tenant check state=active", "watch", Effect::reads, tenant_check, tenant_words},
    Verb{"tenant", "outbox", "NAME", 1, 1, "the jobs on their way out of a tenant's database",
         "Opens that database, and says what is in the way of the first row. Rows come in their order: one "
         "that is refused holds up those behind it until what is wrong is put right, or until it is given up "
         "with --pass-over, which prints it whole, asks, and tries it once more before.",
         "tenure tenant outbox acme --pass-over 17 --reason 'sent by hand'",
         "limit pass-over yes reason watch", Effect::gives_up, tenant_outbox},
    Verb{
        "tenant", "recheck", "NAME", 1, 1, "have a tenant go on whose database is the right one again",
        "For a tenant that has failed since its database was an older copy (file_behind). Opens the database "
        "and compares stamp and numbers; what does not fit is refused. Asks where rows lie there whose jobs "
        "the "
        "queue does not know. Where no newer one is left, --accept-older takes the older copy: rows that "
        "came "
        "over before are dropped, and its next jobs come.",
        "tenure tenant recheck acme --reason 'restored from snapshot 7'", "accept-older yes reason",
        Effect::changes, tenant_recheck},
    Verb{"tenant", "pause", "NAME...|FILTER...", 1, kMany,
         "let nothing of a tenant start; enqueues and what runs go on",
         "Until it is resumed, or until --until, whoever stops and starts the daemon meanwhile. It costs the "
         "same however many jobs wait. All that are named or none; one that is paused already gets the new "
         "end and reason. With a filter it counts first, shows the first, and asks; --yes answers, --dry-run "
         "stops there.",
         "tenure tenant pause acme --until 2h --reason 'restore test'", "until yes dry-run reason",
         Effect::changes, tenant_pause, tenant_words},
    Verb{"tenant", "resume", "NAME...|FILTER...", 1, kMany, "let a tenant that is paused go on",
         "It becomes what it was before: active, or read_only. Asks as pause does.",
         "tenure tenant resume state=paused --yes", "yes dry-run reason", Effect::changes, tenant_resume,
         tenant_words},
    Verb{"tenant", "set", "NAME KEY=VALUE", 2, 2, "set whether a tenant is read-only",
         "read_only=true: its jobs are held, and whoever writes to its database is refused, in every process "
         "and from that commit on; reading goes on. read_only=false takes it back. Opens the database.",
         "tenure tenant set acme read_only=true --reason audit", "dry-run reason", Effect::changes,
         tenant_set},
    Verb{"tenant", "delete", "NAME", 1, 1, "cancel a tenant's jobs, close its database and put it away",
         "Its name has to be typed again, or given by --confirm. Jobs that run may end until --drain, 30s "
         "unless given, and are told to stop then. The database goes to the graveyard, from which tenant "
         "undelete brings it back for as long as tenants.undo_window says; then it is erased, with the jobs. "
         "Where it was interrupted, give it again.",
         "tenure tenant delete acme --confirm acme --drain 2m", "confirm drain dry-run reason",
         Effect::changes, tenant_delete},
    Verb{"tenant", "undelete", "NAME", 1, 1, "bring a deleted tenant back, as a new generation",
         "With its data, and without the jobs that were cancelled. The newest generation that lies in the "
         "graveyard, or the one that --generation names. Refused behind the undo window, and where another "
         "tenant has the name by now. Where it was interrupted, give it again.",
         "tenure tenant undelete acme --generation 3", "generation dry-run reason", Effect::changes,
         tenant_undelete},
    Verb{
        "tenant", "adopt", "[NAME...]", 0, kMany, "make tenants of databases that lie there already",
        "Those at places of tenants by tenants.path that the registry does not know; all of them unless some "
        "are named. Each is looked through first: what is damaged, a link, somebody else's or has tables "
        "that "
        "are those of no migration stays as it is, and is listed with why; then the exit code is 1. "
        "--dry-run "
        "only lists. Given again, it changes nothing.",
        "tenure tenant adopt --dry-run", "dry-run reason", Effect::changes, tenant_adopt},
    Verb{"tenant", "graveyard", "[NAME]", 0, 1, "deleted tenants that are not erased, and until when",
         "Each generation for itself, with what has become of its deletion and whether its file is there.",
         "tenure tenant graveyard acme", "", Effect::reads, tenant_graveyard},
    Verb{"queue", "list", "[FILTER...]", 0, kMany, "the queues and how full they are",
         "Filter fields: name scheduled ready held running dead oldest.",
         "tenure queue list --sort oldest:desc", kListOptions, Effect::reads, queue_list, queue_words},
    Verb{"queue", "show", "NAME", 1, 1, "one queue, and the pools that list it", "",
         "tenure queue show mailers", "watch", Effect::reads, queue_show},
    Verb{"queue", "clear", "NAME", 1, 1, "cancel all jobs that wait in a queue",
         "As job cancel does: what is scheduled, ready, held or blocked never starts, what runs is left "
         "alone. "
         "Asks as job retry does.",
         "tenure queue clear exports --dry-run", "yes dry-run reason", Effect::changes, queue_clear},
    Verb{"queue", "pause", "NAME...", 1, kMany, "let nothing of a queue start; enqueues and what runs go on",
         "Until it is resumed, or until --until, whoever stops and starts the daemon meanwhile. All that are "
         "named or none; one that is paused already gets the new end and reason.",
         "tenure queue pause exports --until 2h --reason 'disk is full'", "until reason", Effect::changes,
         queue_pause},
    Verb{"queue", "resume", "NAME...", 1, kMany, "let a queue that is paused go on", "",
         "tenure queue resume exports", "reason", Effect::changes, queue_resume},
    Verb{"kind", "list", "[FILTER...]", 0, kMany, "the kinds and their jobs",
         "Filter fields: name scheduled ready held running dead oldest.", "tenure kind list --sort dead:desc",
         kListOptions, Effect::reads, kind_list, kind_words},
    Verb{"kind", "show", "NAME", 1, 1, "one kind, and the pools that perform it", "",
         "tenure kind show billing.send_invoice", "watch", Effect::reads, kind_show},
    Verb{"kind", "pause", "NAME...", 1, kMany, "let nothing of a kind start; enqueues and what runs go on",
         "As queue pause does.", "tenure kind pause billing.send_invoice --reason 'ticket 4711'",
         "until reason", Effect::changes, kind_pause},
    Verb{"kind", "resume", "NAME...", 1, kMany, "let a kind that is paused go on", "",
         "tenure kind resume billing.send_invoice", "reason", Effect::changes, kind_resume},
    Verb{
        "worker", "list", "[FILTER...]", 0, kMany, "the worker processes and what keeps them busy",
        "BUSY is how many slots perform, of how many; AHEAD are jobs that wait in the process. A pool that "
        "is quiet is named below. Asks the daemon, as all verbs of this noun do. Filter fields: process pool "
        "pid state node.",
        "tenure worker list state=starting,leaving --fail-if-any", kListOptions, Effect::reads, worker_list,
        worker_words},
    Verb{.noun = "worker",
         .name = "top",
         .words = "",
         .summary = "what the daemon does now: rates, delays, slots, and who uses them",
         .details =
             "On a terminal it draws again each 2 s, or as --watch says, until q is typed; the last line "
             "names "
             "the other keys. Elsewhere, and with --json, it prints one picture, or with --watch one after "
             "the "
             "other. Rates are of the last 5 to 10 s, delays from due to start of the last 30 to 60 s, SHARE "
             "is "
             "the part of all slot time of the last whole 10 s, P99 of runs of the last 30 to 60 minutes. "
             "With "
             "the daemon down it says so and shows what the control database has. tenure top is the same.",
         .example = "tenure worker top --watch 5s",
         .options = "watch",
         .effect = Effect::reads,
         .run = worker_top,
         .draws_again = top_draws_again},
    Verb{"worker", "show", "PROCESS", 1, 1, "one worker process and the jobs that it holds", "",
         "tenure worker show 3", "watch", Effect::reads, worker_show},
    Verb{"worker", "dump", "", 0, 0, "have the daemon and its processes write what they do into the log",
         "As SIGUSR2 does: daemon.described, worker.described, worker.slots, slot.performing.",
         "tenure worker dump", "", Effect::reads, worker_dump},
    Verb{"worker", "quiet", "[POOL]", 0, 1, "claim no more jobs for a pool, or for all",
         "What runs goes on, and what was assigned ahead comes back at no cost. It lasts until tenure worker "
         "resume, or until the daemon is started anew. Asks where it concerns several processes; --yes "
         "answers.",
         "tenure worker quiet general --yes", "yes reason", Effect::changes, worker_quiet},
    Verb{"worker", "resume", "[POOL]", 0, 1, "claim jobs again for a pool, or for all", "Asks as quiet does.",
         "tenure worker resume --yes", "yes reason", Effect::changes, worker_resume},
    Verb{"worker", "drain", "PROCESS", 1, 1, "let one process end when its jobs have, and start another one",
         "The other one is started at once. No job is interrupted, and nothing is charged.",
         "tenure worker drain 3", "reason", Effect::changes, worker_drain},
    Verb{
        "worker", "recycle", "[POOL]", 0, 1, "replace the processes of a pool, or all, one by one",
        "As a reload with a new program does: each goes on until its successor has said hello, and no job is "
        "interrupted. Asks as quiet does.",
        "tenure worker recycle general --yes", "yes reason", Effect::changes, worker_recycle},
    Verb{"schedule", "list", "", 0, 0, "all schedules, with their next and last ticks",
         "A schedule is disabled where its entry is wrong, or its tenant takes no jobs: the column why, and "
         "tenure "
         "schedule show, say what it is. Another result than fired says why the last tick made no job.",
         "tenure schedule list", "limit after columns fail-if-any watch", Effect::reads, schedule_list},
    Verb{"schedule", "show", "NAME", 1, 1, "one schedule, and what became of its last ticks",
         "Ticks are told of for a day.", "tenure schedule show monthly-report", "watch", Effect::reads,
         schedule_show},
    Verb{"schedule", "preview", "NAME", 1, 1, "when it is due, as it will fire",
         "Of the configuration where it stands there, else of the control database. Where clocks are put "
         "forward or "
         "back, a note says so. --tenant shows when the job of that tenant is due, inside the spread.",
         "tenure schedule preview monthly-report --count 20 --tenant acme", "count tenant", Effect::reads,
         schedule_preview},
    Verb{"schedule", "run", "NAME", 1, 1, "a job of it now, beside its ticks",
         "It is marked as manual and moves no tick. Of a schedule of each tenant --tenant says whose. "
         "Refused where a "
         "job of it has not ended and its overlap policy allows no other.",
         "tenure schedule run monthly-report --tenant acme", "tenant dry-run reason", Effect::changes,
         schedule_run},
    Verb{"schedule", "pause", "NAME", 1, 1, "no job of it until it is resumed",
         "Its ticks are noted as skipped. What has been made already goes on.",
         "tenure schedule pause monthly-report --reason 'restore test'", "dry-run reason", Effect::changes,
         schedule_pause},
    Verb{"schedule", "resume", "NAME", 1, 1, "let it make jobs again",
         "Of the ticks that it has skipped those fire that its rule to catch up says.",
         "tenure schedule resume monthly-report", "dry-run reason", Effect::changes, schedule_resume},
    Verb{"schedule", "add", "NAME KIND [JSON]", 2, 3, "a schedule that stands in no configuration",
         "Give --cron or --every; the other options are as in a [[schedule]] of the configuration. It stays "
         "until "
         "tenure schedule remove.",
         "tenure schedule add nightly reports.nightly --cron '30 2 * * *'",
         "cron every time-zone scope spread catch-up overlap queue priority max-attempts dry-run reason",
         Effect::changes, schedule_add},
    Verb{"schedule", "remove", "NAME", 1, 1, "take back one that was added",
         "One of the configuration is removed there, by a reload. Jobs that it has made stay.",
         "tenure schedule remove nightly", "dry-run reason", Effect::changes, schedule_remove},
    Verb{"batch", "list", "[FILTER...]", 0, kMany, "the batches that match, the newest first",
         "Filter fields: id name tenant state created finished age. The state is open, closed or complete; "
         "FAILED "
         "counts members that are dead, discarded or cancelled.",
         "tenure batch list state=open age=1d..", kListOptions, Effect::reads, batch_list, batch_words},
    Verb{"batch", "show", "ID", 1, 1, "one batch: its members counted, and what it waits for",
         "Its members are listed by tenure job list batch=ID.",
         "tenure batch show 019cae08-9913-7c12-9a44-5b0d7e1f20c3", "watch", Effect::reads, batch_show},
    Verb{"batch", "retry", "ID", 1, 1, "make its dead, discarded and cancelled members ready again",
         "A batch that was complete stays so, and nothing is enqueued for that a second time; when every "
         "member has "
         "succeeded, what it has for success is. Asks as job retry does.",
         "tenure batch retry 019cae08-9913-7c12-9a44-5b0d7e1f20c3 --yes", "yes dry-run reason",
         Effect::changes, batch_retry},
    Verb{"batch", "cancel", "ID", 1, 1, "close it, cancel its members that wait, and stop those that run",
         "It takes no more jobs and does not succeed any more; it is complete when the last member has "
         "ended. Asks as "
         "job retry does.",
         "tenure batch cancel 019cae08-9913-7c12-9a44-5b0d7e1f20c3 --yes", "yes dry-run reason",
         Effect::changes, batch_cancel},
    Verb{
        "fan-out", "start", "KIND [JSON|-|@FILE]", 1, 2, "a job for each active tenant that there is now",
        "Prints its id. tenured makes the jobs, so it may be started with the daemon down. Tenants that are "
        "not active are skipped, with the reason. Where one is unfinished under the --key, its id is printed "
        "and nothing is started. --on-complete and --on-success name a job without a tenant for the end.",
        "tenure fan-out start index.rebuild --key rebuild --rate 10/1s",
        "name key over rate on-complete on-success queue priority max-attempts start-within concurrency-key "
        "running-max global-keys id dry-run reason",
        Effect::changes, fan_out_start},
    Verb{"fan-out", "list", "[FILTER...]", 0, kMany, "the fan-outs that match, the newest first",
         "Filter fields: id name kind state created finished age. The state is visiting, cancelling, waiting "
         "or "
         "complete; FAILED counts jobs that are dead, discarded or cancelled.",
         "tenure fan-out list state=visiting,waiting", "limit after columns fail-if-any watch", Effect::reads,
         fan_out_list, fan_out_words},
    Verb{"fan-out", "show", "ID", 1, 1, "one fan-out: its tenants and jobs counted, and what it waits for",
         "Its jobs are listed by tenure job list fan_out=ID.",
         "tenure fan-out show 019cae08-9913-7c12-9a44-5b0d7e1f20c3", "watch", Effect::reads, fan_out_show},
    Verb{"fan-out", "tenants", "ID", 1, 1,
         "its tenants: those that have failed, were skipped, or all with a job", "In the order of visits.",
         "tenure fan-out tenants 019cae08-9913-7c12-9a44-5b0d7e1f20c3",
         "which limit after columns fail-if-any watch", Effect::reads, fan_out_tenants},
    Verb{"fan-out", "cancel", "ID", 1, 1, "visit no more tenants, and cancel jobs that have not started",
         "Jobs that have started end by their own rules, retries included; when the last one has, it is "
         "complete "
         "and has not succeeded.",
         "tenure fan-out cancel 019cae08-9913-7c12-9a44-5b0d7e1f20c3 --yes", "yes dry-run reason",
         Effect::changes, fan_out_cancel},
    Verb{"limit", "list", "", 0, 0, "all limits, what they allow, and how the fullest of each stands",
         "Those of the configuration and those that operators have set. What is counted together is a "
         "tenant, kind, queue or concurrency key by itself where the limit says per.",
         "tenure limit list", "limit after columns fail-if-any watch", Effect::reads, limit_list},
    Verb{"limit", "show", "NAME", 1, 1, "one limit, and all that it counts: what runs, and when the next may",
         "", "tenure limit show reports-per-tenant", "watch", Effect::reads, limit_show},
    Verb{"limit", "set", "NAME VALUE [VALUE]", 2, 3, "allow more or less than the configuration says",
         "VALUE is how many run, as in 3, or a rate of starts, as in 100/1m. It holds from the next claim on "
         "until limit unset, through restarts and reloads; what runs goes on, also where it is more. A limit "
         "that stands in no configuration is made by saying which jobs it takes: --kind, --queue, --per. "
         "One per key bounds how many run of each concurrency key that these jobs state.",
         "tenure limit set reports-per-tenant 3 --reason 'month end'", "kind queue per dry-run reason",
         Effect::changes, limit_set},
    Verb{"limit", "unset", "NAME", 1, 1, "let the configuration decide again",
         "A limit that stands in no configuration goes.", "tenure limit unset reports-per-tenant",
         "dry-run reason", Effect::changes, limit_unset},
    Verb{
        "replay", "capture", "[JOB]", 0, 1,
        "keep the next run of a job, or runs of a kind or tenant, as capsules",
        "A capsule is the tenant's database as it was before the run, with what the run was given and did, "
        "in "
        "one file. Of several requests that a run meets the most specific one counts: job, kind and tenant, "
        "tenant, kind. The job may run now: its next attempt is captured. A run whose capsule cannot be made "
        "counts too. See docs/manual/operation.md.",
        "tenure replay capture --kind billing.close --count 3 --until 2h",
        "kind tenant count until on dry-run reason", Effect::changes, replay_capture},
    Verb{"replay", "list", "[FILTER...]", 0, kMany,
         "the capsules of the folder, and which ones are asked for",
         "Those of the folder that the configuration names, or of --folder. Filter fields: id kind tenant "
         "started "
         "error generation.",
         "tenure replay list kind=billing.close --sort size:desc",
         "folder limit after sort columns fail-if-any watch", Effect::reads, replay_list, replay_words},
    Verb{"replay", "show", "CAPSULE", 1, 1, "what a run was given and what it did, masked",
         "CAPSULE is a path, or a name in the folder of capsules. The whole file is verified. Rows are those "
         "that "
         "the run has changed, and calls those that JobContext::recorded kept.",
         "tenure replay show ./a.capsule", "folder", Effect::reads, replay_show},
    Verb{
        "replay", "cancel", "REQUEST...", 1, kMany, "take requests for capsules back",
        "By the numbers that tenure replay list shows. A run that is under capture is captured all the same.",
        "tenure replay cancel 3", "dry-run reason", Effect::changes, replay_cancel},
    Verb{"store", "show", "", 0, 0, "what and how large the control database is, and who held it last", "",
         "tenure store show --json", "watch", Effect::reads, store_show},
    Verb{
        "store", "audit", "[FILTER...]", 0, kMany, "what operators have changed, the newest first",
        "Filter fields: at verb login host subject reason. --verify looks at each record and names the first "
        "one that was edited, moved or cut off; it prints the head, which can be kept elsewhere and given "
        "back "
        "by --head.",
        "tenure store audit 'verb=job delete' at=-7d..", "limit after columns fail-if-any verify head watch",
        Effect::reads, store_audit, audit_words},
    Verb{"store", "doctor", "[CHECK...]", 0, kChecksMax,
         "look whether all is well, and what mends what is not", kDoctorDetails,
         "tenure store doctor queues kinds", "fix rebuild-registry reason", Effect::mends, store_doctor},
    Verb{"store", "check", "", 0, 0, "look through every page, row and audit record of the control database",
         "It takes as long as reading the file. Exit code 1 where something is wrong.", "tenure store check",
         "", Effect::reads, store_check},
    Verb{"store", "backup", "FILE", 1, 1, "copy the control database as it is now, while others work on it",
         "The copy is whole or not there, on disk, and looked through; nothing is overwritten. See "
         "docs/manual/operation.md for what else to copy.",
         "tenure store backup /backup/control-2026-03-02.db", "reason", Effect::changes, store_backup},
    Verb{
        "store", "restore", "", 0, 0, "make a copy that was put in place the control database",
        "tenured does the same at its start where the copy is younger than the 7 days for which receipts are "
        "kept; else it refuses to start until this has been said. The copy lies at store.path already: see "
        "docs/manual/operation.md for how it comes there. It takes the dispatcher's lock.",
        "tenure store restore --accept-repeats --reason 'disk 2 died'", "accept-repeats reason",
        Effect::changes, store_restore},
    Verb{"store", "migrate", "", 0, 0, "bring an older control database to the schema of this program",
         "tenured and worker programs that were started by hand must have ended: it takes the dispatcher's "
         "lock. There is no way down but a copy, so make one first by tenure store backup. Each step is one "
         "commit; where it was interrupted, give it again. See docs/manual/upgrading.md.",
         "tenure store migrate --dry-run", "dry-run reason", Effect::changes, store_migrate},
    Verb{
        "store", "prune", "", 0, 0, "remove jobs that have ended long ago",
        "By the rules of [retention], in commits of 500, all that may go by now. tenured does the same by "
        "itself, a few at a time; with it this only makes haste. A job goes with its attempts, and its id is "
        "free then.",
        "tenure store prune --dry-run", "dry-run reason", Effect::changes, store_prune},
    Verb{"store", "checkpoint", "", 0, 0, "move the write-ahead log into the database",
         "tenured does so by itself at 4 MiB and in idle moments, and whoever enqueues at 12 MiB. Where a "
         "reader that is at work keeps an older state, a part stays for the next time. Safe at any time.",
         "tenure store checkpoint", "reason", Effect::changes, store_checkpoint},
    Verb{
        "store", "compact", "", 0, 0, "give the room of what was removed back to the disk",
        "Writes the control database anew; what was removed leaves room in it that new jobs take, so this is "
        "for a database that has been far larger than it will be. tenured must be stopped, since it would "
        "wait; enqueues wait too, and are refused (StoreBusy) after 30 s. There must be room for twice its "
        "size beside it.",
        "tenure store compact", "reason", Effect::changes, store_compact},
    Verb{"replay", "journal", "FILE | dump [FILE]", 1, 2,
         "a journal of the dispatcher: replay it, or have it written",
         "tenured decides again by the events of FILE, and must decide the same, byte for byte; else the "
         "first event is "
         "named from which on it does not, and the exit code is 1. What it prints of jobs has no arguments. "
         "dump asks "
         "the daemon that runs for a file, in the folder STORE-journals or named; of a file called dump say "
         "./dump.",
         "tenure replay journal dump", "from events", Effect::reads, replay_journal},
    Verb{"replay", "run", "CAPSULE", 1, 1, "have a worker program perform the run of a capsule once more",
         "In a scratch folder: no database, socket or configuration that is in use is reached. Prints "
         "whether the "
         "run is the same, or where it first differs; a capsule called NAME.passes.capsule or "
         "NAME.fails.ERROR.capsule is expected to end so. With --debugger the whole run is on the main "
         "thread of "
         "the program. Exit code 1 where it differs. See docs/manual/replay.md.",
         "tenure replay run ./send.capsule --program ./billing-worker", "program debugger from scratch keep",
         Effect::reads, replay_run},
    Verb{"config", "check", "", 0, 0, "read the configuration and look whether the machine fits it",
         "Starts nothing and changes nothing. Exit code 78 where a daemon would not start.",
         "tenure config check --config ./tenure.toml", "", Effect::reads, config_check},
    Verb{
        "config", "show", "", 0, 0, "every setting as the configuration says it now, and where it came from",
        "A daemon that runs works by what it has read last: tenure config reload says what it takes over and "
        "what waits, and tenure worker list what waits since then.",
        "tenure config show", "", Effect::reads, config_show},
    Verb{"config", "explain", "KEY", 1, 1,
         "unit, default, limits and meaning of one setting, and what the configuration says",
         "pool[0].slots is that of the first pool alone. A daemon that runs works by what it has read last: "
         "see "
         "tenure config show.",
         "tenure config explain store.durability", "", Effect::reads, config_explain},
    Verb{"config", "sample", "", 0, 0, "a configuration file with every setting at its default", "",
         "tenure config sample > tenure.toml", "", Effect::reads, config_sample},
    Verb{"config", "reload", "", 0, 0,
         "have the daemon read its configuration again, and say what it took over",
         "As SIGHUP does, but the answer is said here: exit code 78 where the configuration cannot be used, "
         "and "
         "then the one before stays in force.",
         "tenure config reload", "reason", Effect::changes, config_reload},
};

constexpr std::array kOptions{
    OptionSpec{"config", "FILE", "the configuration; else TENURE_CONFIG, else /etc/tenure/tenure.toml"},
    OptionSpec{"store", "FILE", "another control database than the configured one"},
    OptionSpec{"offline", "", "--store names a copy, which is only looked at"},
    OptionSpec{"now", "TIME", "with --offline: as if it were then, not when it was copied"},
    OptionSpec{"json", "", "one JSON document instead of a table; errors too"},
    OptionSpec{"utc", "", "times in UTC, on a terminal too"},
    OptionSpec{"color", "WHEN", "auto, always or never", "auto always never"},
    OptionSpec{"quiet", "", "no messages beside the data, but for errors"},
    OptionSpec{"help", "", "help for what stands before it"},
    OptionSpec{"version", "", "the version, and nothing else"},
    OptionSpec{"limit", "N", "rows, 50 unless given, at most 1000"},
    OptionSpec{"after", "CURSOR", "the page after the one that ended with this cursor"},
    OptionSpec{"sort", "FIELD[:desc]", "the order of the rows; ascending unless :desc"},
    OptionSpec{"columns", "NAME,...", "these columns, in this order"},
    OptionSpec{"fail-if-any", "", "exit with 1 where something matches, for monitors"},
    OptionSpec{"watch", "TIME", "again and again, so far apart: 2s"},
    OptionSpec{"by", "FIELD,...", "what jobs are grouped by; kind,error unless given"},
    OptionSpec{"scan", "N", "succeeded jobs among the newest N jobs, 1000000 unless given"},
    OptionSpec{"yes", "", "do not ask"},
    OptionSpec{"to", "N", "up to the migration of that number; the newest unless given"},
    OptionSpec{"waves", "P%,...", "after so many of the tenants it is looked how many have failed"},
    OptionSpec{"parallel", "N", "so many tenants at a time; 1 unless given"},
    OptionSpec{"max-failures", "N", "so many may fail before the next wave is left; 0 unless given"},
    OptionSpec{"dry-run", "", "count and show, and change nothing"},
    OptionSpec{"reason", "TEXT", "why, for the audit record of the change"},
    OptionSpec{"reveal", "", "show what is masked, which is recorded"},
    OptionSpec{"fix", "", "mend what can be mended without a decision"},
    OptionSpec{"rebuild-registry", "", "register each tenant whose stamped file is there"},
    OptionSpec{"verify", "", "look whether the records are as they were made"},
    OptionSpec{"head", "N:HASH", "a head that --verify has printed before"},
    OptionSpec{"tenant", "NAME", "whose job it is; none: outside every tenant"},
    OptionSpec{"queue", "NAME", "its queue; of a new job else the one of its kind, where it is known"},
    OptionSpec{"priority", "N", "-100 to 100, lower runs first"},
    OptionSpec{"run-in", "TIME", "due so long from now: 30s, 5m, 2h"},
    OptionSpec{"run-at", "TIME", "due then: 2026-03-02T10:14:00Z, +10m"},
    OptionSpec{"start-before", "TIME", "discarded if it has not started by then: +10m"},
    OptionSpec{"max-attempts", "N", "attempts, 10 unless given"},
    OptionSpec{"id", "UUID", "its id, so that the command may be given again"},
    OptionSpec{"lines", "", "read one job a line from standard input"},
    OptionSpec{"batch", "ID", "the batch of which it is a member, which is not closed"},
    OptionSpec{"concurrency-key", "KEY", "jobs of its tenant with this key run one at a time"},
    OptionSpec{"running-max", "N", "so many of them at a time, at most 10000"},
    OptionSpec{"unique-key", "KEY", "no job where another one of its tenant has this key"},
    OptionSpec{"unique-until", "END", "the job has it until then: ended, unless given, or started",
               "ended started"},
    OptionSpec{"global-keys", "", "the keys are the same for all tenants"},
    OptionSpec{"name", "TEXT", "what it is, for operators"},
    OptionSpec{"key", "KEY", "of which one is unfinished at a time"},
    OptionSpec{"over", "TIME", "over how long tenants are visited: 2h; at once unless given"},
    OptionSpec{"rate", "RATE", "at most so much: copy 20MiB/s; start 10/1s, so many jobs in a time"},
    OptionSpec{"start-within", "TIME", "each is discarded if it has not started so soon"},
    OptionSpec{"on-complete", "JOB", "KIND or 'KIND JSON', a job without a tenant when all have ended"},
    OptionSpec{"on-success", "JOB", "the same when all have succeeded"},
    OptionSpec{"which", "TENANTS", "failed, unless given, skipped or all", "failed skipped all"},
    OptionSpec{"events", "", "each event too, with what was decided"},
    OptionSpec{"kind", "NAME", "of which kind; of a limit a pattern, as reports.*"},
    OptionSpec{"per", "WHAT,...", "what is counted by itself: tenant, kind, queue, key"},
    OptionSpec{"count", "N", "so many: capsules (1 of a job, else 5) or ticks (10); at most 1000"},
    OptionSpec{"until", "TIME",
               "so long or until then: 2h, 2026-03-02; of a capture 24h, of a pause no end unless given"},
    OptionSpec{"cron", "FIELDS", "minute, hour, day, month, day of the week; or seconds first"},
    OptionSpec{"every", "TIME", "an interval in place of --cron: 15m"},
    OptionSpec{"time-zone", "NAME", "in which --cron is read; UTC unless given"},
    OptionSpec{"scope", "SCOPE", "global, unless given, tenant:NAME or each_tenant"},
    OptionSpec{"spread", "TIME", "of each_tenant: the jobs of a tick are due within it"},
    OptionSpec{"catch-up", "RULE", "missed ticks: latest, unless given, none or all:N"},
    OptionSpec{"overlap", "POLICY", "while a job has not ended: skip, unless given, allow, queue_one",
               "allow skip queue_one"},
    OptionSpec{"folder", "DIR", "the folder of the copies; of capsules, if not the configured one"},
    OptionSpec{"on", "END", "runs that end so: failure, unless given, success or any", "failure success any"},
    OptionSpec{"restamp", "", "let jobs that wait run in the newest generation"},
    OptionSpec{"rerun", "", "have jobs run again that have ended since the copy was made"},
    OptionSpec{"cancel", "", "end jobs that wait"},
    OptionSpec{"copy", "FILE", "a copy that was made before"},
    OptionSpec{"confirm", "NAME", "the name of the tenant that is deleted, once more"},
    OptionSpec{"generation", "N", "of which the database is brought back"},
    OptionSpec{"drain", "TIME", "so long may jobs run on before they are told to stop"},
    OptionSpec{"accept-older", "", "take a database that is an older copy; what came since is gone"},
    OptionSpec{"accept-repeats", "",
               "of a copy older than 7 days: steps whose receipts are gone may be repeated"},
    OptionSpec{"pass-over", "N", "the number of the row that is given up, which is the first that waits"},
    OptionSpec{"program", "FILE", "the worker program that has the handler"},
    OptionSpec{.name = "debugger",
               .value = "",
               .help = "under gdb, or by that command",
               .value_behind_equals = "COMMAND"},
    OptionSpec{"from", "PLACE",
               "a journal's event or a run's step: print nothing before it; a debugger stops there"},
    OptionSpec{"scratch", "FOLDER", "make the scratch folder there and not below TMPDIR"},
    OptionSpec{"keep", "", "leave the scratch folder, and say where it is"},
};
constexpr std::size_t kGlobalOptions = 10;  // the first ones

template <class Entries>
std::vector<std::string_view> names_of(const Entries& entries) {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const auto& entry : entries) names.push_back(entry.name);
  return names;
}

}  // namespace

std::span<const Noun> nouns() { return kNouns; }
std::span<const Verb> verbs() { return kVerbs; }
std::span<const Shorthand> shorthands() { return kShorthands; }
std::span<const OptionSpec> option_specs() { return kOptions; }

bool is_global(std::string_view option) {
  return std::any_of(kOptions.begin(), kOptions.begin() + kGlobalOptions,
                     [&](const auto& o) { return o.name == option; });
}

bool takes(const Verb& verb, std::string_view option) {
  return is_global(option) ||
         fmt::format(" {} ", verb.options).find(fmt::format(" {} ", option)) != std::string::npos;
}

bool changes_something(const Verb& verb, const CommandLine& line) {
  return verb.effect == Effect::changes ||
         (verb.effect == Effect::mends && (line.has("fix") || line.has("rebuild-registry"))) ||
         (verb.effect == Effect::gives_up && line.has("pass-over")) ||
         (verb.effect == Effect::reconciles &&
          (line.has("restamp") || line.has("rerun") || line.has("cancel"))) ||
         (verb.effect == Effect::reveals && line.has("reveal"));
}

bool needs_keys(const Verb& verb) {
  return verb.run == job_enqueue || verb.run == job_copy || verb.run == job_retry ||
         verb.run == schedule_run || verb.run == fan_out_start || verb.run == tenant_outbox ||
         verb.run == tenant_reconcile || verb.run == tenant_restore || verb.run == tenant_delete ||
         verb.run == batch_retry;
}

bool can_look_at_copies(const Verb& verb) {
  return verb.noun != "config" && verb.noun != "worker" && verb.run != job_tail &&
         verb.run != tenant_outbox && verb.run != tenant_check && verb.run != replay_show &&
         verb.run != replay_journal && verb.run != replay_run;
}

void write_out(std::vector<std::string>& words) {
  if (words.empty()) return;
  const auto* const found = std::ranges::find(kShorthands, words.front(), &Shorthand::word);
  if (found == kShorthands.end()) return;
  words.front() = found->noun;
  words.insert(words.begin() + 1, std::string(found->verb));
}

const Noun& find_noun(std::string_view word) {
  const auto* const found =
      std::find_if(kNouns.begin(), kNouns.end(), [&](const Noun& noun) { return noun.name == word; });
  if (found != kNouns.end()) return *found;
  std::vector<std::string_view> names = names_of(kNouns);
  for (const Shorthand& each : kShorthands) names.push_back(each.word);
  const auto near = nearest(word, names);
  raise(ErrorCode::bad_options,
        fmt::format("unknown noun '{}'; {}", escaped(word, 64),
                    near ? fmt::format("did you mean {}?", *near) : "see tenure --help"));
}

const Verb& find_verb(const Noun& noun, std::string_view word) {
  std::vector<std::string_view> names;
  for (const Verb& verb : kVerbs) {
    if (verb.noun != noun.name) continue;
    if (verb.name == word) return verb;
    names.push_back(verb.name);
  }
  const auto near = nearest(word, names);
  raise(ErrorCode::bad_options, fmt::format("unknown verb '{}' of {}; {}", escaped(word, 64), noun.name,
                                            near ? fmt::format("did you mean {}?", *near)
                                                 : fmt::format("see tenure {} --help", noun.name)));
}

}  // namespace tenure::cli
