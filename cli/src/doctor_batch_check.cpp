#include "batch.hpp"
#include "doctor_checks.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <vector>

namespace tenure::cli {
namespace {

// Whoever adds to a batch for so long has forgotten to close it, or died before he did.
constexpr std::chrono::hours kOpenTooLong{24};
constexpr std::size_t kMiscountedShown = 20;

}  // namespace

void check_batches(Examination& examination) {
  const auto census = examination.ask([](queue::JobReader& reader) { return reader.batches().census(); });
  const auto wrong =
      examination.ask([](queue::JobReader& reader) { return reader.batches().miscounted(kMiscountedShown); });
  for (const queue::MiscountedBatch& batch : wrong)
    examination.add(
        FindingLevel::fail, "batches",
        fmt::format("the row of batch {} says that {} of {} members have ended, and they say {} of {}",
                    batch.id.text(), batch.said.ended(), batch.said.members, batch.found.ended(),
                    batch.found.members),
        "tenure batch show " + batch.id.text());
  const WallTime now = examination.session().now();
  const bool is_old = census.oldest_open && now - *census.oldest_open >= kOpenTooLong;
  if (is_old)
    examination.add(
        FindingLevel::warn, "batches",
        fmt::format("{} open; the oldest since {}, so it is not complete whatever becomes of its members",
                    counted(census.open, "batch is", "batches are", examination.style()),
                    full_time_text(census.oldest_open, examination.style())),
        "tenure batch show " + census.oldest_open_id.value_or(BatchId{}).text());
  if (wrong.empty() && !is_old)
    examination.add(FindingLevel::ok, "batches",
                    census.open + census.closed == 0
                        ? std::string{"none is under way"}
                        : fmt::format("{} open, {} closed and not complete", census.open, census.closed));
}

}  // namespace tenure::cli
