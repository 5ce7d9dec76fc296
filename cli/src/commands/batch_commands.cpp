#include "../nouns.hpp"
#include "noun_commands.hpp"

#include <array>

namespace tenure::cli {
namespace {

constexpr std::array kBatchCommands{
    Verb{"batch", "list", "[FILTER...]", 0, kMany, "the batches that match, the newest first",
         "Filter fields: id name tenant state created finished age. The state is open, closed or complete; "
         "FAILED counts members that are dead, discarded or cancelled.",
         "tenure batch list state=open age=1d..", kListOptions, Effect::reads, batch_list, batch_words},
    Verb{"batch", "show", "ID", 1, 1, "one batch: its members counted, and what it waits for",
         "Its members are listed by tenure job list batch=ID.",
         "tenure batch show 019cae08-9913-7c12-9a44-5b0d7e1f20c3", "watch", Effect::reads, batch_show},
    Verb{"batch", "retry", "ID", 1, 1, "make its dead, discarded and cancelled members ready again",
         "A batch that was complete stays so, and nothing is enqueued for that a second time; when every "
         "member has succeeded, what it has for success is. Asks as job retry does.",
         "tenure batch retry 019cae08-9913-7c12-9a44-5b0d7e1f20c3 --yes", "yes dry-run reason",
         Effect::changes, batch_retry},
    Verb{"batch", "cancel", "ID", 1, 1, "close it, cancel its members that wait, and stop those that run",
         "It takes no more jobs and does not succeed any more; it is complete when the last member has "
         "ended. Asks as job retry does.",
         "tenure batch cancel 019cae08-9913-7c12-9a44-5b0d7e1f20c3 --yes", "yes dry-run reason",
         Effect::changes, batch_cancel},
};

}  // namespace

std::span<const Verb> batch_commands() { return kBatchCommands; }

}  // namespace tenure::cli
