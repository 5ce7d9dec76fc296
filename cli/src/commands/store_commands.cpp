#include "../nouns.hpp"
#include "noun_commands.hpp"

#include <array>

namespace tenure::cli {
namespace {

constexpr std::size_t kChecksMax = 64;
constexpr std::string_view kDoctorDetails =
    "Checks: store sqlite holder places audit seal queues kinds quiet released dangling tenants outbox "
    "captures schedules limits batches fan-outs retention restore, and stamps, which opens each tenant's database and "
    "is done only when it is named. quiet asks the daemon. Exit code 1 where one of them fails. --fix "
    "removes rows that belong to no job, makes jobs ready that are blocked without cause, and removes "
    "summaries of tenants that are wrong; nothing else is changed, and each has an audit record. "
    "--rebuild-registry looks at the stamp of each file at a tenant's place and in the graveyard, and "
    "registers what the registry has lost.";

constexpr std::array kStoreCommands{
    Verb{"store", "show", "", 0, 0, "what and how large the control database is, and who held it last", "",
         "tenure store show --json", "watch", Effect::reads, store_show},
    Verb{"store", "audit", "[FILTER...]", 0, kMany, "what operators have changed, the newest first",
         "Filter fields: at verb login host subject reason. --verify looks at each record and names the "
         "first one that was edited, moved or cut off; it prints the head, which can be kept elsewhere and "
         "given back by --head.",
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
    Verb{"store", "restore", "", 0, 0, "make a copy that was put in place the control database",
         "tenured does the same at its start where the copy is younger than the 7 days for which receipts "
         "are kept; else it refuses to start until this has been said. The copy lies at store.path already: "
         "see docs/manual/operation.md for how it comes there. It takes the dispatcher's lock.",
         "tenure store restore --accept-repeats --reason 'disk 2 died'", "accept-repeats reason",
         Effect::changes, store_restore},
    Verb{"store", "migrate", "", 0, 0, "bring an older control database to the schema of this program",
         "tenured and worker programs that were started by hand must have ended: it takes the dispatcher's "
         "lock. There is no way down but a copy, so make one first by tenure store backup. Each step is one "
         "commit; where it was interrupted, give it again. See docs/manual/upgrading.md.",
         "tenure store migrate --dry-run", "dry-run reason", Effect::changes, store_migrate},
    Verb{"store", "prune", "", 0, 0, "remove jobs that have ended long ago",
         "By the rules of [retention], in commits of 500, all that may go by now. tenured does the same by "
         "itself, a few at a time; with it this only makes haste. A job goes with its attempts, and its id "
         "is free then.",
         "tenure store prune --dry-run", "dry-run reason", Effect::changes, store_prune},
    Verb{"store", "checkpoint", "", 0, 0, "move the write-ahead log into the database",
         "tenured does so by itself at 4 MiB and in idle moments, and whoever enqueues at 12 MiB. Where a "
         "reader that is at work keeps an older state, a part stays for the next time. Safe at any time.",
         "tenure store checkpoint", "reason", Effect::changes, store_checkpoint},
    Verb{"store", "compact", "", 0, 0, "give the room of what was removed back to the disk",
         "Writes the control database anew; what was removed leaves room in it that new jobs take, so this "
         "is for a database that has been far larger than it will be. tenured must be stopped, since it "
         "would wait; enqueues wait too, and are refused (StoreBusy) after 30 s. There must be room for "
         "twice its size beside it.",
         "tenure store compact", "reason", Effect::changes, store_compact},
};

}  // namespace

std::span<const Verb> store_commands() { return kStoreCommands; }

}  // namespace tenure::cli
