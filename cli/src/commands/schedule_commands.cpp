#include "../nouns.hpp"
#include "noun_commands.hpp"

#include <array>

namespace tenure::cli {
namespace {

constexpr std::array kScheduleCommands{
    Verb{
        "schedule", "list", "", 0, 0, "all schedules, with their next and last ticks",
        "A schedule is disabled where its entry is wrong, or its tenant takes no jobs: the column why, and "
        "tenure schedule show, say what it is. Another result than fired says why the last tick made no job.",
        "tenure schedule list", "limit after columns fail-if-any watch", Effect::reads, schedule_list},
    Verb{"schedule", "show", "NAME", 1, 1, "one schedule, and what became of its last ticks",
         "Ticks are told of for a day.", "tenure schedule show monthly-report", "watch", Effect::reads,
         schedule_show},
    Verb{"schedule", "preview", "NAME", 1, 1, "when it is due, as it will fire",
         "Of the configuration where it stands there, else of the control database. Where clocks are put "
         "forward or back, a note says so. --tenant shows when the job of that tenant is due, inside the "
         "spread.",
         "tenure schedule preview monthly-report --count 20 --tenant acme", "count tenant", Effect::reads,
         schedule_preview},
    Verb{"schedule", "run", "NAME", 1, 1, "a job of it now, beside its ticks",
         "It is marked as manual and moves no tick. Of a schedule of each tenant --tenant says whose. "
         "Refused where a job of it has not ended and its overlap policy allows no other.",
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
         "until tenure schedule remove.",
         "tenure schedule add nightly reports.nightly --cron '30 2 * * *'",
         "cron every time-zone scope spread catch-up overlap queue priority max-attempts dry-run reason",
         Effect::changes, schedule_add},
    Verb{"schedule", "remove", "NAME", 1, 1, "take back one that was added",
         "One of the configuration is removed there, by a reload. Jobs that it has made stay.",
         "tenure schedule remove nightly", "dry-run reason", Effect::changes, schedule_remove},
};

}  // namespace

std::span<const Verb> schedule_commands() { return kScheduleCommands; }

}  // namespace tenure::cli
