#include "doctor_checks.hpp"
#include "tenant_outbox.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <set>
#include <string>

namespace tenure::cli {
namespace {

using queue::OutboxMark;

constexpr std::size_t kMarksPage = 1000;
// A mark without an epoch goes with the first look that finds the file empty.
constexpr std::chrono::minutes kMarkMax{1};
constexpr std::size_t kOutboxesNamed = 20;

struct MarkedFiles {
  std::set<std::pair<std::string, std::int64_t>> files;
  std::optional<OutboxMark> oldest;
  std::vector<OutboxMark> late;  // marks without an epoch that have stood too long
  bool has_dispatcher = false;
};

MarkedFiles marked_files(queue::JobReader& reader, WallTime now) {
  MarkedFiles marked{.has_dispatcher = reader.has_dispatcher()};
  std::vector<OutboxMark> page;
  do {
    page = reader.outbox_marks(page.empty() ? queue::OutboxMarkNumber{0} : page.back().number, kMarksPage);
    for (const OutboxMark& mark : page) {
      marked.files.emplace(mark.owner.tenant.text(), mark.owner.generation.value);
      if (!marked.oldest || mark.marked < marked.oldest->marked) marked.oldest = mark;
      if (!mark.epoch && now - mark.marked > kMarkMax) marked.late.push_back(mark);
    }
  } while (page.size() == kMarksPage);
  return marked;
}

}  // namespace

// From the control database alone: what the marks say. A database that is an older copy is a tenant that has failed.
void check_outbox(Examination& examination) {
  const ShowStyle& style = examination.style();
  const MarkedFiles marked = examination.ask(
      [&](queue::JobReader& reader) { return marked_files(reader, examination.session().now()); });
  if (marked.files.empty())
    return examination.add(FindingLevel::ok, "outbox", "no tenant's database is marked as holding jobs");
  const std::string all =
      fmt::format("jobs may be on their way out of {}, the oldest mark is from {}",
                  counted(std::ssize(marked.files), "tenant's database", "tenants' databases", style),
                  full_time_text(marked.oldest->marked, style));
  if (!marked.has_dispatcher)
    return examination.add(FindingLevel::warn, "outbox", all + ", and no dispatcher is seen to run",
                           "systemctl start tenured");
  for (std::size_t each = 0; each < std::min(marked.late.size(), kOutboxesNamed); ++each) {
    const std::string tenant = escaped(marked.late[each].owner.tenant.text());
    examination.add(FindingLevel::warn, "outbox",
                    fmt::format("what a run has left in the database of {} has not come since {}", tenant,
                                full_time_text(marked.late[each].marked, style)),
                    "tenure tenant outbox " + tenant);
  }
  if (marked.late.size() > kOutboxesNamed)
    examination.add(FindingLevel::warn, "outbox",
                    fmt::format("{} more like these", marked.late.size() - kOutboxesNamed));
  if (marked.late.empty()) examination.add(FindingLevel::ok, "outbox", all);
}

}  // namespace tenure::cli
