#include "outbox_values.hpp"

#include "outbox_relay.hpp"

#include <algorithm>
#include <string>

namespace tenure::testing {
namespace {

using namespace queue;  // NOLINT

const OutboxOwner& owner() {
  static const OutboxOwner owner{TenantName{"acme"}, Generation{1}};
  return owner;
}

JobId id_of(std::uint8_t job) {
  Uuid::Bytes bytes{};
  bytes.back() = static_cast<std::uint8_t>(job + 1);
  return JobId{Uuid{bytes}};
}

std::string row_of(std::uint8_t job) {
  return write_outbox_row({.id = id_of(job),
                           .tenant = owner().tenant,
                           .generation = owner().generation,
                           .queue = "default",
                           .kind = "shop.child",
                           .due = from_us(1),
                           .attempts_max = 3,
                           .arguments = "{}"},
                          {});
}

OutboxRows rows_of(const TenantFile& file, ReadRows read) {
  OutboxRows rows{.newest = OutboxSeq{read.to}};  // as it was then
  for (int seq = read.from + 1; seq <= read.to; ++seq)
    rows.rows.push_back({OutboxSeq{seq}, row_of(file.jobs.at(static_cast<std::size_t>(seq - 1)))});
  return rows;
}

// As the stores do it: an id that is there is not enqueued again, one whose job was removed is.
Result<Enqueued> enqueue(ControlFile& control, const NewJob& job) {
  JobPlace& place = control.jobs.at(job.id.uuid.bytes().back() - 1U);
  const bool existed = place == JobPlace::present || place == JobPlace::twice;
  if (place == JobPlace::absent) place = JobPlace::present;
  else if (place == JobPlace::removed) place = JobPlace::twice;
  return Enqueued{.id = job.id, .existed = existed};
}

}  // namespace

bool ControlFile::has_marks() const {
  return std::ranges::any_of(marks, [](std::uint8_t number) { return number != 0; });
}

int TenantFile::count_of(std::uint8_t job) const {
  return static_cast<int>(std::count(jobs.begin(), jobs.begin() + newest, job));
}

ControlFile taken_over(ControlFile control, const TenantFile& file, ReadRows rows, bool has_watermark) {
  const OutboxSeq before{has_watermark ? control.watermark : 0};
  const Relayed relayed = take_over(before, false, owner(), rows_of(file, rows), {},
                                    [&](const NewJob& job) { return enqueue(control, job); });
  control.watermark =
      static_cast<std::uint8_t>(std::max<std::int64_t>(control.watermark, relayed.watermark.value));
  return control;
}

}  // namespace tenure::testing
