#include "eraser.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/operator_identity.hpp>

#include <fmt/format.h>

#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::DeletionRecord;
using queue::DeletionStep;

constexpr std::size_t kDeletionsLookedAt = 100;

queue::Filter all_jobs_of(const TenantRecord& tenant) {
  using queue::FilterField;
  return {
      {{FilterField::tenant, false, {queue::Glob{tenant.name.text(), true}}},
       {FilterField::generation, false, {queue::Range{tenant.generation.value, tenant.generation.value}}}}};
}

// It was cancelled before the tenant was; what a damaged file has left elsewhere is ended all the same.
Result<void> erase_job(queue::StoreWriter& writer, queue::JobId id, WallTime now) {
  auto erased = writer.delete_by_operator(id);
  if (erased || erased.error().code != ErrorCode::state_changed) return erased;
  if (auto ended = writer.cancel_by_operator(id, now); !ended) return ended;
  return writer.delete_by_operator(id);
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
  if (is_time_doubtful()) return limits_.between_looks;
  const auto due = next_due();
  if (!due) {
    passed_over_ = TenantNumber{0};
    return limits_.between_looks;
  }
  static_cast<void>(graveyard_.erase(due->tenant.name, due->tenant.generation));
  // Where it was put away for a copy that has its place, its tenant lives on, and so do its jobs.
  if (due->is_restore || !erase_some_jobs(*due)) note_erased(*due);
  return limits_.between_commits;
}

std::optional<DeletionRecord> Eraser::next_due() {
  std::optional<DeletionRecord> due;
  store_.read([&](queue::JobReader& reader) {
    for (auto page = reader.open_deletions(passed_over_, kDeletionsLookedAt); !page.empty() && !due;
         page = reader.open_deletions(page.back().tenant.number, kDeletionsLookedAt))
      for (DeletionRecord& deletion : page)
        if (!due && deletion.step == DeletionStep::buried && deletion.erase_at &&
            *deletion.erase_at <= clock_.wall())
          due = std::move(deletion);
  });
  return due;
}

bool Eraser::erase_some_jobs(const DeletionRecord& deletion) {
  const WallTime now = clock_.wall();
  std::vector<queue::JobRecord> jobs;
  store_.read([&](queue::JobReader& reader) {
    jobs = reader
               .list_jobs(all_jobs_of(deletion.tenant),
                          {.limit = limits_.at_once, .order = queue::ListOrder::oldest_first}, now)
               .jobs;
  });
  if (jobs.empty()) return false;
  std::size_t erased = 0;
  store_.write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
    erased = 0;
    for (const queue::JobRecord& job : jobs)
      if (erase_job(writer, job.id, now)) ++erased;
  });
  if (erased == 0) passed_over_ = deletion.tenant.number;
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
