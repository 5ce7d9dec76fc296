#include "restore_drain.hpp"

#include "listing.hpp"

#include <tenure/base/text.hpp>
#include <tenure/config/units.hpp>

#include <fmt/format.h>

#include <span>

namespace tenure::cli {
namespace {

using queue::FilterField;
using queue::Glob;
using queue::JobRecord;
using queue::Range;
using queue::ShownState;

constexpr std::size_t kAtOnce = 500;
constexpr std::chrono::seconds kDrain{30};  // unless --drain says another
constexpr std::chrono::hours kDrainMax{24};
constexpr std::chrono::seconds kStopWait{60};  // behind the stop token
constexpr std::chrono::milliseconds kLookAgain{500};

queue::FilterTerm states(std::initializer_list<ShownState> wanted) {
  queue::FilterTerm term{FilterField::state, false, {}};
  for (const ShownState state : wanted) term.values.emplace_back(Glob{std::string(name_of(state)), true});
  return term;
}

queue::Filter jobs_of(const TenantRecord& tenant, std::vector<queue::FilterTerm> terms) {
  terms.push_back({FilterField::tenant, false, {Glob{tenant.name.text(), true}}});
  terms.push_back(
      {FilterField::generation, false, {Range{tenant.generation.value, tenant.generation.value}}});
  return {std::move(terms)};
}

// Also those that are blocked for another reason.
queue::Filter waiting_of(const TenantRecord& tenant) {
  return jobs_of(
      tenant,
      {states({ShownState::scheduled, ShownState::ready, ShownState::held, ShownState::blocked}),
       {FilterField::reason, true, {Glob{std::string(name_of(queue::JobReason::generation)), true}}}});
}

std::vector<JobRecord> list(Session& session, const queue::Filter& filter,
                            std::optional<queue::JobSeq> after = std::nullopt) {
  std::vector<JobRecord> jobs;
  session.readable_store().read([&](queue::JobReader& reader) {
    jobs = reader
               .list_jobs(filter, {.limit = kAtOnce, .after = after, .order = queue::ListOrder::oldest_first},
                          session.now())
               .jobs;
  });
  return jobs;
}

bool has_moved_on(ErrorCode code) {
  return code == ErrorCode::state_changed || code == ErrorCode::job_not_found ||
         code == ErrorCode::claim_lost;
}

// How many were changed; one that has moved on is looked at again.
template <class Act>
std::int64_t change_jobs(Session& session, const TenantRecord& tenant, std::span<const JobRecord> jobs,
                         std::string_view what, const Act& act) {
  std::int64_t changed = 0;
  session.change([&](queue::StoreWriter& writer) {
    changed = 0;
    for (const JobRecord& job : jobs) {
      Result<void> acted = act(writer, job);
      if (acted) ++changed;
      else if (!has_moved_on(acted.error().code)) raise(std::move(acted.error()));
    }
    return Changed{changed,
                   fmt::format("{}, generation {}, {}", tenant.name.text(), tenant.generation.value, what)};
  });
  session.wake();
  return changed;
}

std::chrono::milliseconds drain_limit(const Session& session) {
  if (!session.has("drain")) return kDrain;
  const auto length = config::parse_duration(session.option("drain"));
  if (!length || *length > kDrainMax)
    raise(ErrorCode::bad_options,
          fmt::format("--drain '{}' is no length of time as 30s, or longer than a day",
                      escaped(session.option("drain"), 64)));
  return *length;
}

}  // namespace

void RestoreDrain::run() {
  const Clock& clock = session_.environment().clock;
  const Instant asked_at = clock.steady() + drain_limit(session_);
  bool has_asked = false;
  while (true) {
    hold_waiting();
    const auto jobs = running();
    // What is given back while it drains waits again, so both are looked at until neither is there.
    if (jobs.empty() && list(session_, waiting_of(tenant_)).empty()) return;
    if (jobs.empty()) continue;
    if (!has_dispatcher()) {
      release_claims(jobs);
      continue;
    }
    if (!has_asked && clock.steady() >= asked_at) {
      has_asked = true;
      ask_to_stop(jobs);
    }
    wait_for(jobs.size(), asked_at + kStopWait);
  }
}

void RestoreDrain::hold_waiting() {
  const queue::Filter filter = waiting_of(tenant_);
  for (auto jobs = list(session_, filter); !jobs.empty(); jobs = list(session_, filter, jobs.back().seq))
    held_ += change_jobs(
        session_, tenant_, jobs, "held",
        [](queue::StoreWriter& writer, const JobRecord& job) { return writer.hold_for_restore(job.id); });
}

std::vector<JobRecord> RestoreDrain::running() {
  return list(session_, jobs_of(tenant_, {states({ShownState::running})}));
}

bool RestoreDrain::has_dispatcher() {
  bool has = false;
  session_.readable_store().read([&](queue::JobReader& reader) { has = reader.has_dispatcher(); });
  return has;
}

void RestoreDrain::ask_to_stop(const std::vector<JobRecord>& jobs) {
  stopped_ += change_jobs(session_, tenant_, jobs, "asked to stop",
                          [this](queue::StoreWriter& writer, const JobRecord& job) {
                            return writer.ask_to_cancel(job.id, session_.environment().clock.wall());
                          });
}

// Nobody holds the store, so nothing runs: they are what a daemon that died has left. They wait again.
void RestoreDrain::release_claims(const std::vector<JobRecord>& jobs) {
  const queue::AttemptFailure why{.code = ErrorCode::claim_lost,
                                  .error = "its tenant is put back from a copy, and no daemon runs"};
  change_jobs(session_, tenant_, jobs, "given back", [&](queue::StoreWriter& writer, const JobRecord& job) {
    if (!job.claim) return Result<void>{};
    return writer.release({job.seq, *job.claim}, true, why, session_.environment().clock.wall());
  });
}

void RestoreDrain::wait_for(std::size_t jobs, Instant bound) {
  Environment& environment = session_.environment();
  const bool goes_on =
      environment.clock.steady() < bound && environment.pause && environment.pause(kLookAgain);
  if (goes_on) return;
  raise(ErrorCode::tenant_busy,
        fmt::format("{} of {} still {}; it is draining, and the same command goes on from here",
                    counted(static_cast<std::int64_t>(jobs), "job", session_.style()), tenant_.name.text(),
                    jobs == 1 ? "runs" : "run"),
        tenant_.name.text());
}

}  // namespace tenure::cli
