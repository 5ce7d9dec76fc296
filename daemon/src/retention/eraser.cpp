#include "eraser.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/operator_identity.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::DeletionRecord;
using queue::DeletionStep;

constexpr std::size_t kDeletionsLookedAt = 100;
constexpr std::size_t kRowsAtOnce = 100;  // of what is kept besides jobs

std::vector<DeletionRecord> all_open(queue::Store& store) {
  std::vector<DeletionRecord> open;
  store.read([&](queue::JobReader& reader) {
    for (auto page = reader.open_deletions(TenantNumber{0}, kDeletionsLookedAt); !page.empty();
         page = reader.open_deletions(page.back().tenant.number, kDeletionsLookedAt))
      for (DeletionRecord& deletion : page)
        if (deletion.step == DeletionStep::buried || deletion.step == DeletionStep::erasing)
          open.push_back(std::move(deletion));
  });
  return open;
}

bool has_later_that_goes(const std::vector<DeletionRecord>& tenants, const TenantRecord& tenant) {
  return std::ranges::any_of(tenants, [&](const DeletionRecord& other) {
    return !other.is_restore && other.tenant.name == tenant.name &&
           tenant.generation < other.tenant.generation;
  });
}

// False: it is tried again with the next pass.
bool erase_file(const Graveyard& graveyard, const TenantRecord& tenant) {
  try {
    static_cast<void>(graveyard.erase(tenant.name, tenant.generation));
    return true;
  } catch (const Error& error) {  // of one; the others go all the same
    const log::Context context(tenant.name.text(), tenant.generation.value, {});
    log::write(log::Level::warning, "tenant.not_erased",
               std::string{"a deleted tenant was not erased, and is later: "} + error.what());
    return false;
  }
}

}  // namespace

Eraser::Eraser(queue::Store& store, const Clock& clock, Graveyard graveyard, const EraserLimits& limits)
    : store_(store), clock_(clock), graveyard_(std::move(graveyard)), limits_(limits) {}

std::chrono::microseconds Eraser::step() {
  const Instant now = clock_.steady();
  if (next_look_ && now < *next_look_) return *next_look_ - now;
  std::chrono::microseconds rest = limits_.between_looks;
  try {
    rest = do_step();
  } catch (const Error& error) {  // a thread's entry: what is erased later harms nobody who can still be told
    log::write(log::Level::warning, "tenant.not_erased",
               std::string{"a deleted tenant was not erased, and is later: "} + error.what());
  }
  next_look_ = now + rest;
  return rest;
}

bool Eraser::is_time_doubtful() {
  const Instant now = clock_.steady();
  static_cast<void>(leaps_.saw(clock_.wall(), now));
  return leaps_.has_leapt_within(limits_.behind_leap, now);
}

std::chrono::microseconds Eraser::do_step() {
  if (!pass_) begin_pass();
  if (!pass_) return limits_.between_looks;
  if (!pass_->is_at_end || !pass_->found.empty()) {
    erase_some_jobs();
    return limits_.between_commits;
  }
  if (!end_pass()) return limits_.between_commits;
  pass_.reset();
  return limits_.between_looks;
}

// One whose erasing has begun goes on, whatever the clock says by now.
void Eraser::begin_pass() {
  const bool is_doubtful = is_time_doubtful();
  Pass pass;
  for (DeletionRecord& deletion : all_open(store_)) {
    if (deletion.step == DeletionStep::buried && (is_doubtful || !begin(deletion))) continue;
    if (erase_file(graveyard_, deletion.tenant)) pass.tenants.push_back(std::move(deletion));
  }
  for (DeletionRecord& deletion : pass.tenants)  // as begin_erasing of the later one has it
    if (deletion.is_restore && has_later_that_goes(pass.tenants, deletion.tenant))
      deletion.is_restore = false;
  if (!pass.tenants.empty()) pass_ = std::move(pass);
}

bool Eraser::begin(const DeletionRecord& deletion) {
  const WallTime now = clock_.wall();
  if (!deletion.erase_at || *deletion.erase_at > now) return false;
  bool has_begun = false;
  store_.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    has_begun = writer.begin_erasing(deletion.tenant.number, now).has_value();
  });
  return has_begun;
}

void Eraser::erase_some_jobs() {
  if (pass_->found.empty()) {
    queue::ErasableJobs found;
    store_.read([&](queue::JobReader& reader) {
      found = reader.erasable_jobs(pass_->looked_until, limits_.looks_max);
    });
    pass_->looked_until = found.looked_until;
    pass_->is_at_end = found.is_end;
    pass_->found = std::move(found.jobs);
  }
  const std::size_t some = std::min(pass_->found.size(), limits_.at_once);
  const WallTime now = clock_.wall();
  bool has_left = false;
  store_.write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
    has_left = false;
    for (std::size_t each = 0; each < some; ++each) {
      const auto erased = writer.erase_job(pass_->found[each], now);
      has_left |= !erased && erased.error().code != ErrorCode::job_not_found;
    }
  });
  pass_->has_left_jobs |= has_left;
  pass_->found.erase(pass_->found.begin(), pass_->found.begin() + static_cast<std::ptrdiff_t>(some));
}

bool Eraser::end_pass() {
  if (pass_->has_left_jobs) return true;
  if (!pass_->has_erased_rows)
    for (const DeletionRecord& deletion : pass_->tenants)
      for (std::int64_t rows = deletion.is_restore ? 0 : 1; rows > 0;)
        store_.write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
          rows = writer.erase_rows_of(deletion.tenant.number, kRowsAtOnce);
        });
  pass_->has_erased_rows = true;
  if (store_.erase_traces()) return false;
  for (const DeletionRecord& deletion : pass_->tenants) note_erased(deletion);
  return true;
}

void Eraser::note_erased(const DeletionRecord& deletion) {
  const std::string name = deletion.tenant.name.text();
  store_.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    if (!writer.end_deletion(deletion.tenant.number, DeletionStep::erased)) return;  // somebody was quicker
    writer.append_audit({.who = identify_process(),
                         .verb = "tenant erased",
                         .subject = fmt::format("{}, generation {}", name, deletion.tenant.generation.value),
                         .count = 1,
                         .reason = "its undo window is over"},
                        clock_.wall());
  });
  const log::Context context(name, deletion.tenant.generation.value, {});
  log::write(log::Level::info, "tenant.erased",
             deletion.is_restore
                 ? "its undo window is over: the database that was put away for a copy is gone"
                 : "its undo window is over: its database and its jobs are gone");
}

}  // namespace tenure::daemon
