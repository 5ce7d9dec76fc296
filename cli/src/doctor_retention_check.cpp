#include "doctor_checks.hpp"
#include "retention_rules.hpp"

#include <tenure/queue/retention.hpp>

#include <fmt/format.h>

#include <chrono>
#include <cstddef>

namespace tenure::cli {
namespace {

// The daemon looks each minute, and removes nothing for an hour after a leap of the clock.
constexpr std::chrono::hours kLate{2};
constexpr std::size_t kRowsOfPage = 10'000;
constexpr std::size_t kPages = 20;  // the oldest rows, in which the first that should have gone are

struct PastTheirTime {
  std::int64_t jobs = 0;
  bool is_all = true;
};

// By time alone: dead jobs that go since there are too many go when others come.
PastTheirTime past_their_time(queue::JobReader& reader, const queue::Retention& rules, WallTime then) {
  const queue::PrunePass pass{.rules = rules};
  PastTheirTime found;
  queue::PrunableJobs page;
  for (std::size_t pages = 0; !page.is_end; ++pages) {
    if (pages == kPages) {
      found.is_all = false;
      return found;
    }
    page = reader.prunable_jobs(page.looked_until, pass, then, kRowsOfPage);
    found.jobs += page.counted.total();
  }
  return found;
}

}  // namespace

void check_retention(Examination& examination) {
  const WallTime now = examination.session().now();
  const queue::Retention rules = rules_of(examination.session().settings().retention);
  const PastTheirTime found =
      examination.ask([&](queue::JobReader& reader) { return past_their_time(reader, rules, now - kLate); });
  if (found.jobs == 0)
    return examination.add(FindingLevel::ok, "retention", "no job is kept for longer than it should be");
  examination.add(
      FindingLevel::warn, "retention",
      fmt::format("{}{} should have been removed more than {} hours ago", found.is_all ? "" : "at least ",
                  counted(found.jobs, "job", examination.style()), kLate.count()),
      "tenure store prune");
}

}  // namespace tenure::cli
