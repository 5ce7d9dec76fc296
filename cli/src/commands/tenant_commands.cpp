#include "../nouns.hpp"
#include "noun_commands.hpp"

#include <array>

namespace tenure::cli {
namespace {

constexpr std::array kTenantCommands{
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
    Verb{"tenant", "backup", "NAME FILE|[FILTER...]", 0, kMany,
         "copy tenants' databases as they are now, while others write to them",
         "A copy is whole or not there, on disk, looked through, and for its owner's eyes only; nothing is "
         "overwritten. It says of which tenant, generation and time it is. With --folder all tenants that "
         "match are copied, each to NAME.GENERATION.db; given again it goes on with those that are not "
         "there. One that fails stops no other; exit code 1 then. See docs/manual/backups.md.",
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
    Verb{"tenant", "check", "[FILTER...]", 0, kMany, "compare tenants' tables with those of their migrations",
         "Opens each tenant's database: how many have had how many of the files of tenants.migrations, and "
         "which have tables, indexes, views or triggers that those files do not make, or lack some. Exit "
         "code 1 where one has, or cannot be opened.",
         "tenure tenant check state=active", "watch", Effect::reads, tenant_check, tenant_words},
    Verb{"tenant", "outbox", "NAME", 1, 1, "the jobs on their way out of a tenant's database",
         "Opens that database, and says what is in the way of the first row. Rows come in their order: one "
         "that is refused holds up those behind it until what is wrong is put right, or until it is given up "
         "with --pass-over, which prints it whole, asks, and tries it once more before.",
         "tenure tenant outbox acme --pass-over 17 --reason 'sent by hand'",
         "limit pass-over yes reason watch", Effect::gives_up, tenant_outbox},
    Verb{"tenant", "recheck", "NAME", 1, 1, "have a tenant go on whose database is the right one again",
         "For a tenant that has failed since its database was an older copy (file_behind). Opens the "
         "database and compares stamp and numbers; what does not fit is refused. Asks where rows lie there "
         "whose jobs the queue does not know. Where no newer one is left, --accept-older takes the older "
         "copy: rows that came over before are dropped, and its next jobs come.",
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
    Verb{"tenant", "adopt", "[NAME...]", 0, kMany, "make tenants of databases that lie there already",
         "Those at places of tenants by tenants.path that the registry does not know; all of them unless "
         "some are named. Each is looked through first: what is damaged, a link, somebody else's or has "
         "tables that are those of no migration stays as it is, and is listed with why; then the exit code "
         "is 1. --dry-run only lists. Given again, it changes nothing.",
         "tenure tenant adopt --dry-run", "dry-run reason", Effect::changes, tenant_adopt},
    Verb{"tenant", "graveyard", "[NAME]", 0, 1, "deleted tenants that are not erased, and until when",
         "Each generation for itself, with what has become of its deletion and whether its file is there.",
         "tenure tenant graveyard acme", "", Effect::reads, tenant_graveyard},
};

}  // namespace

std::span<const Verb> tenant_commands() { return kTenantCommands; }

}  // namespace tenure::cli
