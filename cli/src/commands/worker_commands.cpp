#include "../nouns.hpp"
#include "noun_commands.hpp"

#include <array>

namespace tenure::cli {
namespace {

constexpr std::array kWorkerCommands{
    Verb{"worker", "list", "[FILTER...]", 0, kMany, "the worker processes and what keeps them busy",
         "BUSY is how many slots perform, of how many; AHEAD are jobs that wait in the process. A pool that "
         "is quiet is named below. Asks the daemon, as all verbs of this noun do. Filter fields: process "
         "pool pid state node.",
         "tenure worker list state=starting,leaving --fail-if-any", kListOptions, Effect::reads, worker_list,
         worker_words},
    Verb{.noun = "worker",
         .name = "top",
         .words = "",
         .summary = "what the daemon does now: rates, delays, slots, and who uses them",
         .details = "On a terminal it draws again each 2 s, or as --watch says, until q is typed; the last "
                    "line names the other keys. Elsewhere, and with --json, it prints one picture, or with "
                    "--watch one after the other. Rates are of the last 5 to 10 s, delays from due to start "
                    "of the last 30 to 60 s, SHARE is the part of all slot time of the last whole 10 s, P99 "
                    "of runs of the last 30 to 60 minutes. With the daemon down it says so and shows what "
                    "the control database has. tenure top is the same.",
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
    Verb{"worker", "recycle", "[POOL]", 0, 1, "replace the processes of a pool, or all, one by one",
         "As a reload with a new program does: each goes on until its successor has said hello, and no job "
         "is interrupted. Asks as quiet does.",
         "tenure worker recycle general --yes", "yes reason", Effect::changes, worker_recycle},
};

}  // namespace

std::span<const Verb> worker_commands() { return kWorkerCommands; }

}  // namespace tenure::cli
