#include "doctor_checks.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace tenure::cli {
namespace {

constexpr std::size_t kRestoreMarksPage = 1000;
constexpr std::size_t kTenantsNamed = 20;
// Losses that were found before have been seen.
constexpr std::chrono::hours kLossesToldFor{7 * 24};

struct Restores {
  std::optional<WallTime> copied;
  std::optional<queue::RestoreRecord> last;
  std::vector<queue::LostRows> lost;  // lately, the last first
  std::int64_t unseen = 0;            // files at which nobody has looked since
};

std::int64_t count_unseen(queue::JobReader& reader) {
  std::int64_t count = 0;
  std::vector<queue::OutboxMark> page;
  do {
    page = reader.outbox_marks(page.empty() ? queue::OutboxMarkNumber{0} : page.back().number,
                               kRestoreMarksPage);
    for (const queue::OutboxMark& mark : page) count += mark.epoch == queue::kEpochOfRestore ? 1 : 0;
  } while (page.size() == kRestoreMarksPage);
  return count;
}

Restores restores_of(queue::JobReader& reader, WallTime now) {
  Restores found{.copied = reader.copied(), .last = reader.last_restore(), .lost = {}};
  for (queue::LostRows& lost : reader.lost_rows(kTenantsNamed + 1))
    if (now - lost.found < kLossesToldFor) found.lost.push_back(std::move(lost));
  found.unseen = found.last ? count_unseen(reader) : 0;
  return found;
}

void add_lost(Examination& examination, const std::vector<queue::LostRows>& all) {
  const ShowStyle& style = examination.style();
  for (std::size_t each = 0; each < std::min(all.size(), kTenantsNamed); ++each) {
    const std::string tenant = escaped(all[each].owner.tenant.text());
    examination.add(
        FindingLevel::warn, "restore",
        fmt::format("{} of the outbox of {} {} in neither database, found {}: one of the two was put "
                    "back",
                    counted(all[each].count, "row", style), tenant, all[each].count == 1 ? "is" : "are",
                    full_time_text(all[each].found, style)),
        "tenure tenant outbox " + tenant);
  }
  if (all.size() > kTenantsNamed)
    examination.add(FindingLevel::warn, "restore", "more tenants have lost rows like these",
                    "tenure store audit 'verb=outbox lost'");
}

}  // namespace

// A copy that is looked at where it lies is to be one.
void check_restore(Examination& examination) {
  const ShowStyle& style = examination.style();
  const WallTime now = examination.session().now();
  const Restores found = examination.ask([&](queue::JobReader& reader) { return restores_of(reader, now); });
  if (found.copied && !examination.session().is_offline()) {
    const auto age = queue::check_age_of_copy(*found.copied, queue::AcceptRepeats::no, now);
    examination.add(age ? FindingLevel::warn : FindingLevel::fail, "restore",
                    age ? fmt::format("this is a copy of {}, on which tenured has not started yet",
                                      full_time_text(*found.copied, style))
                        : age.error().message,
                    age ? "systemctl start tenured" : "tenure store restore --accept-repeats");
  }
  add_lost(examination, found.lost);
  if (!found.last) return examination.add(FindingLevel::ok, "restore", "it was never put back from a copy");
  const std::string when =
      fmt::format("put back on {} from a copy of {}, epoch {}", full_time_text(found.last->noticed, style),
                  full_time_text(found.last->copied, style), found.last->epoch);
  if (found.unseen == 0) return examination.add(FindingLevel::ok, "restore", when);
  examination.add(FindingLevel::warn, "restore",
                  fmt::format("{}; {} still to be looked at", when,
                              counted(found.unseen, "tenant's database is", "tenants' databases are", style)),
                  "tenure doctor outbox");
}

}  // namespace tenure::cli
