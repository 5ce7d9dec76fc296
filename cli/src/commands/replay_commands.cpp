#include "../nouns.hpp"
#include "noun_commands.hpp"

#include <array>

namespace tenure::cli {
namespace {

constexpr std::array kReplayCommands{
    Verb{"replay", "capture", "[JOB]", 0, 1,
         "keep the next run of a job, or runs of a kind or tenant, as capsules",
         "A capsule is the tenant's database as it was before the run, with what the run was given and did, "
         "in one file. Of several requests that a run meets the most specific one counts: job, kind and "
         "tenant, tenant, kind. The job may run now: its next attempt is captured. A run whose capsule "
         "cannot be made counts too. See docs/manual/operation.md.",
         "tenure replay capture --kind billing.close --count 3 --until 2h",
         "kind tenant count until on dry-run reason", Effect::changes, replay_capture},
    Verb{"replay", "list", "[FILTER...]", 0, kMany,
         "the capsules of the folder, and which ones are asked for",
         "Those of the folder that the configuration names, or of --folder. Filter fields: id kind tenant "
         "started error generation.",
         "tenure replay list kind=billing.close --sort size:desc",
         "folder limit after sort columns fail-if-any watch", Effect::reads, replay_list, replay_words},
    Verb{"replay", "show", "CAPSULE", 1, 1, "what a run was given and what it did, masked",
         "CAPSULE is a path, or a name in the folder of capsules. The whole file is verified. Rows are those "
         "that the run has changed, and calls those that JobContext::recorded kept.",
         "tenure replay show ./a.capsule", "folder", Effect::reads, replay_show},
    Verb{
        "replay", "cancel", "REQUEST...", 1, kMany, "take requests for capsules back",
        "By the numbers that tenure replay list shows. A run that is under capture is captured all the same.",
        "tenure replay cancel 3", "dry-run reason", Effect::changes, replay_cancel},
    Verb{"replay", "journal", "FILE | dump [FILE]", 1, 2,
         "a journal of the dispatcher: replay it, or have it written",
         "tenured decides again by the events of FILE, and must decide the same, byte for byte; else the "
         "first event is named from which on it does not, and the exit code is 1. What it prints of jobs has "
         "no arguments. dump asks the daemon that runs for a file, in the folder STORE-journals or named; of "
         "a file called dump say ./dump.",
         "tenure replay journal dump", "from events", Effect::reads, replay_journal},
    Verb{"replay", "run", "CAPSULE", 1, 1, "have a worker program perform the run of a capsule once more",
         "In a scratch folder: no database, socket or configuration that is in use is reached. Prints "
         "whether the run is the same, or where it first differs; a capsule called NAME.passes.capsule or "
         "NAME.fails.ERROR.capsule is expected to end so. With --debugger the whole run is on the main "
         "thread of the program. Exit code 1 where it differs. See docs/manual/replay.md.",
         "tenure replay run ./send.capsule --program ./billing-worker", "program debugger from scratch keep",
         Effect::reads, replay_run},
};

}  // namespace

std::span<const Verb> replay_commands() { return kReplayCommands; }

}  // namespace tenure::cli
