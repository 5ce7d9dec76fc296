#include "../nouns.hpp"
#include "noun_commands.hpp"

#include <array>

namespace tenure::cli {
namespace {

constexpr std::array kFanOutCommands{
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
         "or complete; FAILED counts jobs that are dead, discarded or cancelled.",
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
         "complete and has not succeeded.",
         "tenure fan-out cancel 019cae08-9913-7c12-9a44-5b0d7e1f20c3 --yes", "yes dry-run reason",
         Effect::changes, fan_out_cancel},
};

}  // namespace

std::span<const Verb> fan_out_commands() { return kFanOutCommands; }

}  // namespace tenure::cli
