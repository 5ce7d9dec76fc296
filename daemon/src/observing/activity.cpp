#include "activity.hpp"

#include "outcomes.hpp"

#include <algorithm>
#include <tuple>
#include <utility>
#include <variant>

namespace tenure::daemon {

Activity::Activity(Instant now)
    : begun_at_(now),
      rates_(kRatesOver, now),
      delays_(kDelaysOver, now),
      run_times_(kKindsOver, now),
      top_tenants_(kTenantsMax, kSharesOver, now) {}

void Activity::happened(const Event& event, Now now) {
  rates_.pass(now.steady);
  delays_.pass(now.steady);
  run_times_.pass(now.steady);
  if (top_tenants_.is_over(now.steady)) {
    runs_.for_each_performing([&](const Run& run) { left(run, now); });
    top_tenants_.choose(now.steady);
  }
  runs_.happened(event, now, *this);
  if (const auto* const done = std::get_if<RoundDone>(&event)) stored(done->reply);
  else if (std::holds_alternative<RoundFailed>(event)) round_.reset();
}

void Activity::decided(const Actions& actions, Now now) {
  runs_.decided(actions, now, *this);
  for (const Action& action : actions)
    if (const auto* const round = std::get_if<RunRound>(&action)) round_ = round->work;
}

void Activity::began(const Run& run, Now now) {
  delays_.current().add(now.wall - run.due);
  static_cast<void>(kinds_.place_of(run.lane.kind.value));
}

void Activity::ended(const Run& run, const AttemptEnd& end) {
  if (queue::has_run(end.result))
    run_times_.current()[kinds_.place_of(run.lane.kind.value)].add(end.run_time);
}

void Activity::left(const Run& run, Now now) {
  if (run.since) top_tenants_.used(run, now.steady);
}

void Activity::stored(const RoundReply& reply) {
  const auto work = std::exchange(round_, nullptr);
  if (!work) return;
  if (const auto& names = reply.answer<NamesPart>(); names && work->ask<NamesPart>())
    kinds_.name_all(work->ask<NamesPart>()->kinds, names->kinds);
  Rates& rates = rates_.current();
  if (const auto& arrivals = reply.answer<NewJobsPart>()) rates.arrived += std::ssize(*arrivals);
  if (const auto& expired = reply.answer<ExpiredJobsPart>()) rates.ended += std::ssize(*expired);
  const auto& ends = work->ask<EndsPart>();
  const auto& states = reply.answer<EndsPart>();
  if (!ends || !states) return;
  for (std::size_t index = 0; index < ends->size(); ++index) {
    const Result<queue::JobState>& state = (*states)[index];
    if (!state) continue;
    rates.ended += is_final(*state) ? 1 : 0;
    rates.failed += outcome_of((*ends)[index], *state) == "failed" ? 1 : 0;
  }
}

Activity::View Activity::view(Instant now) const {
  const Rates& former = rates_.former();
  const Rates& current = rates_.current();
  DurationHistogram delays = delays_.former();
  delays += delays_.current();
  return {.up = now - begun_at_,
          .rates_over = rates_.covered(now),
          .arrived = former.arrived + current.arrived,
          .ended = former.ended + current.ended,
          .failed = former.failed + current.failed,
          .starts = delays.count(),
          .delay_p50 = delays.quantile(0.5),
          .delay_p99 = delays.quantile(0.99),
          .tenants = top_tenants_.chosen(),
          .kinds = kinds()};
}

std::vector<Activity::Kind> Activity::kinds() const {
  std::map<std::size_t, Kind> by_place;
  runs_.for_each_performing(
      [&](const Run& run) { ++by_place[kinds_.known_place_of(run.lane.kind.value)].running; });
  RunTimes times = run_times_.former();
  for (const auto& [place, current] : run_times_.current()) times[place] += current;
  for (const auto& [place, all] : times) {
    by_place[place].runs = all.count();
    by_place[place].p99 = all.quantile(0.99);
  }
  std::vector<Kind> kinds;
  for (auto& [place, kind] : by_place) {
    kind.name = kinds_.label(place).value_or("");
    if (!kind.name.empty()) kinds.push_back(std::move(kind));
  }
  std::ranges::sort(kinds, [](const Kind& a, const Kind& b) {
    return std::tie(b.running, b.runs, a.name) < std::tie(a.running, a.runs, b.name);
  });
  if (kinds.size() > kKindsMax) kinds.resize(kKindsMax);
  return kinds;
}

}  // namespace tenure::daemon
