#include "../nouns.hpp"
#include "noun_commands.hpp"

#include <array>

namespace tenure::cli {
namespace {

constexpr std::array kQueueCommands{
    Verb{"queue", "list", "[FILTER...]", 0, kMany, "the queues and how full they are",
         "Filter fields: name scheduled ready held running dead oldest.",
         "tenure queue list --sort oldest:desc", kListOptions, Effect::reads, queue_list, queue_words},
    Verb{"queue", "show", "NAME", 1, 1, "one queue, and the pools that list it", "",
         "tenure queue show mailers", "watch", Effect::reads, queue_show},
    Verb{"queue", "clear", "NAME", 1, 1, "cancel all jobs that wait in a queue",
         "As job cancel does: what is scheduled, ready, held or blocked never starts, what runs is left "
         "alone. Asks as job retry does.",
         "tenure queue clear exports --dry-run", "yes dry-run reason", Effect::changes, queue_clear},
    Verb{"queue", "pause", "NAME...", 1, kMany, "let nothing of a queue start; enqueues and what runs go on",
         "Until it is resumed, or until --until, whoever stops and starts the daemon meanwhile. All that are "
         "named or none; one that is paused already gets the new end and reason.",
         "tenure queue pause exports --until 2h --reason 'disk is full'", "until reason", Effect::changes,
         queue_pause},
    Verb{"queue", "resume", "NAME...", 1, kMany, "let a queue that is paused go on", "",
         "tenure queue resume exports", "reason", Effect::changes, queue_resume},
};

}  // namespace

std::span<const Verb> queue_commands() { return kQueueCommands; }

}  // namespace tenure::cli
