#include "../nouns.hpp"
#include "noun_commands.hpp"

#include <array>

namespace tenure::cli {
namespace {

constexpr std::array kKindCommands{
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
};

}  // namespace

std::span<const Verb> kind_commands() { return kKindCommands; }

}  // namespace tenure::cli
