#include "tenant_drain.hpp"

#include "listing.hpp"

#include <tenure/base/text.hpp>
#include <tenure/config/units.hpp>

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <utility>

namespace tenure::cli {
namespace {

using queue::FilterField;
using queue::Glob;
using queue::JobRecord;
using queue::ShownState;

constexpr std::size_t kAtOnce = 500;
constexpr std::chrono::seconds kDrain{30};  // unless --drain says another
constexpr std::chrono::hours kDrainMax{24};
constexpr std::chrono::seconds kStopWait{60};  // behind the stop token
constexpr std::chrono::milliseconds kLookAgain{500};

std::chrono::milliseconds drain_limit(const Session& session) {
  if (!session.has("drain")) return kDrain;
  const auto length = config::parse_duration(session.option("drain"));
  if (!length || *length > kDrainMax)
    raise(ErrorCode::bad_options,
          fmt::format("--drain '{}' is no length of time as 30s, or longer than a day",
                      escaped(session.option("drain"), 64)));
  return *length;
}

std::vector<JobRecord> oldest(Session& session, const queue::Filter& filter,
                              std::optional<queue::JobSeq> after = std::nullopt) {
  const queue::ListOptions options{.limit = kAtOnce, .after = after, .order = queue::ListOrder::oldest_first};
  std::vector<JobRecord> jobs;
  session.readable_store().read(
      [&](queue::JobReader& reader) { jobs = reader.list_jobs(filter, options, session.now()).jobs; });
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
    return Changed{changed, generation_subject(tenant, what)};
  });
  session.wake();
  return changed;
}

}  // namespace

queue::Filter jobs_of_generations(const TenantName& tenant, queue::Range generations,
                                  std::span<const ShownState> states) {
  queue::Filter filter{{{FilterField::tenant, false, {Glob{tenant.text(), true}}},
                        {FilterField::generation, false, {generations}},
                        {FilterField::state, false, {}}}};
  for (const ShownState state : states)
    filter.terms.back().values.emplace_back(Glob{std::string(name_of(state)), true});
  return filter;
}

std::string generation_subject(const TenantRecord& tenant, std::string_view what) {
  return fmt::format("{}, generation {}, {}", tenant.name.text(), tenant.generation.value, what);
}

void TenantDrain::run() {
  const std::int64_t generation = tenant_.generation.value;
  const queue::Filter running =
      jobs_of_generations(tenant_.name, {generation, generation}, std::array{ShownState::running});
  const Instant asked_at = clock().steady() + drain_limit(session_);
  bool has_asked = false;
  while (true) {
    settle_waiting();
    const auto jobs = oldest(session_, running);
    // What is given back while it drains waits again, so both are looked at until neither is there.
    if (jobs.empty() && oldest(session_, rules_.waiting).empty()) return;
    if (jobs.empty()) continue;
    if (!has_dispatcher()) {
      end_claims(jobs);
      continue;
    }
    if (!has_asked && clock().steady() >= asked_at) {
      has_asked = true;
      tell_to_stop(running);
    }
    wait_for(jobs.size(), asked_at + kStopWait);
  }
}

void TenantDrain::settle_waiting() {
  for (auto jobs = oldest(session_, rules_.waiting); !jobs.empty();
       jobs = oldest(session_, rules_.waiting, jobs.back().seq))
    settled_ += change_jobs(
        session_, tenant_, jobs, rules_.settled,
        [this](queue::StoreWriter& writer, const JobRecord& job) { return rules_.settle(writer, job.id); });
}

bool TenantDrain::has_dispatcher() {
  bool has = false;
  session_.readable_store().read([&](queue::JobReader& reader) { has = reader.has_dispatcher(); });
  return has;
}

void TenantDrain::tell_to_stop(const queue::Filter& running) {
  for (auto jobs = oldest(session_, running); !jobs.empty();
       jobs = oldest(session_, running, jobs.back().seq))
    told_to_stop_ += change_jobs(session_, tenant_, jobs, "asked to stop",
                                 [this](queue::StoreWriter& writer, const JobRecord& job) {
                                   return writer.ask_to_cancel(job.id, clock().wall());
                                 });
}

// Nobody holds the store, so nothing runs: they are what a daemon that died has left.
void TenantDrain::end_claims(std::span<const JobRecord> jobs) {
  claims_ended_ += change_jobs(
      session_, tenant_, jobs, rules_.ended, [this](queue::StoreWriter& writer, const JobRecord& job) {
        return job.claim ? rules_.end_claim(writer, {job.seq, *job.claim}) : Result<void>{};
      });
}

void TenantDrain::wait_for(std::size_t jobs, Instant bound) {
  const Environment& environment = session_.environment();
  const bool goes_on = clock().steady() < bound && environment.pause && environment.pause(kLookAgain);
  if (goes_on) return;
  raise(ErrorCode::tenant_busy,
        fmt::format("{} of {} still {}; it is draining, and the same command goes on from here",
                    counted(static_cast<std::int64_t>(jobs), "job", session_.style()), tenant_.name.text(),
                    jobs == 1 ? "runs" : "run"),
        tenant_.name.text());
}

}  // namespace tenure::cli
