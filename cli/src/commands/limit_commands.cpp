#include "../nouns.hpp"
#include "noun_commands.hpp"

#include <array>

namespace tenure::cli {
namespace {

constexpr std::array kLimitCommands{
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
};

}  // namespace

std::span<const Verb> limit_commands() { return kLimitCommands; }

}  // namespace tenure::cli
