#include "fan_outs.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr std::size_t kVisitWhyShown = 500;  // bytes

std::string text_of(const queue::OpenFanOut& fan_out) {
  return fmt::format("Fan-out {}{}{}", fan_out.id.text(), fan_out.name.empty() ? "" : ", ",
                     escaped(fan_out.name));
}

}  // namespace

std::size_t FanOuts::Known::room(Instant now) const {
  if (!fan_out.rate) return std::numeric_limits<std::size_t>::max();
  if (!is_counted || now < not_before) return 0;
  const auto recent = static_cast<std::size_t>(
      std::ranges::count_if(started, [&](Instant start) { return start + fan_out.rate->window > now; }));
  const std::size_t taken = recent + waiting.size();
  const auto allowed = static_cast<std::size_t>(fan_out.rate->starts);
  return allowed > taken ? allowed - taken : 0;
}

Instant FanOuts::Known::room_at(Instant now) const {
  if (room(now) > 0) return now;
  if (!is_counted) return look_at;
  if (now < not_before) return not_before;
  // Where those that wait take all of it they are looked at again; each that starts is noticed.
  if (waiting.size() >= static_cast<std::size_t>(fan_out.rate->starts)) return look_at;
  const auto first =
      std::ranges::find_if(started, [&](Instant start) { return start + fan_out.rate->window > now; });
  const Instant free = first == started.end() ? now : *first + fan_out.rate->window;
  return waiting.empty() ? free : std::min(free, std::max(look_at, now));
}

std::vector<queue::JobSeq> FanOuts::Known::next_looks() const {
  std::vector<queue::JobSeq> looks;
  const auto first = waiting.upper_bound(looked_until);
  for (auto next = first; next != waiting.end() && looks.size() < kWaitingLooks; ++next)
    looks.push_back(*next);
  for (auto next = waiting.begin(); next != first && looks.size() < kWaitingLooks; ++next)
    looks.push_back(*next);
  return looks;
}

// Those that have started since they were asked for are in `waiting` no more.
void FanOuts::Known::looked(const std::vector<queue::JobSeq>& asked, const std::vector<queue::JobSeq>& still,
                            Instant now) {
  looked_until = asked.back();
  look_at = still.size() == asked.size() ? now + kWaitingLook : now;
  auto next = still.begin();
  for (const queue::JobSeq seq : asked) {
    if (next != still.end() && *next == seq) ++next;
    else waiting.erase(seq);
  }
}

void FanOuts::read(queue::OpenFanOuts open, Instant now) {
  mark_ = open.mark;
  std::map<queue::BatchNumber, Known> former = std::exchange(known_, {});
  for (queue::OpenFanOut& fan_out : open.fan_outs) {
    Known known;
    const auto found = former.find(fan_out.number);
    if (found != former.end()) known = std::move(found->second);
    known.fan_out = std::move(fan_out);
    if (found == former.end() && known.fan_out.rate) {
      // Nobody has told when the jobs of a dispatcher before have started.
      known.is_counted = known.fan_out.visited == 0;
      if (!known.is_counted) known.not_before = now + known.fan_out.rate->window;
      known.look_at = now;
    }
    known_.emplace(known.fan_out.number, std::move(known));
  }
  look_for_rates();
}

std::optional<VisitsPart::Order> FanOuts::order_of(const Known& known, Now now) {
  const queue::OpenFanOut& fan_out = known.fan_out;
  VisitsPart::Order order{.name = fan_out.name,
                          .order = {.fan_out = fan_out.number,
                                    .after = fan_out.after,
                                    .is_cancelled = fan_out.is_cancelled,
                                    .tenants_max = kVisitTenantsMax,
                                    .jobs_max = known.room(now.steady)}};
  if (fan_out.is_cancelled) return order;
  order.order.tenants_max = queue::visits_due(fan_out, now.wall, kVisitTenantsMax);
  // Behind the last tenant there is no job to make.
  const bool is_end = fan_out.visited >= fan_out.tenants;
  if (is_end) order.order.jobs_max = std::max<std::size_t>(1, order.order.jobs_max);
  if (order.order.tenants_max == 0) return std::nullopt;
  if (order.order.jobs_max > 0) return order;
  if (now.steady < known.look_at) return std::nullopt;
  // Where none waits there is nothing to ask for: the room comes with the time.
  if (known.is_counted && known.waiting.empty()) return std::nullopt;
  if (known.is_counted) order.order.look = known.next_looks();
  else order.order.waiting_max = static_cast<std::size_t>(fan_out.rate->starts);
  return order;
}

std::optional<VisitsPart::Ask> FanOuts::ask(Now now) const {
  VisitsPart::Ask ask;
  const auto add = [&](const Known& known) {
    if (ask.orders.size() == kVisitOrdersMax) return;
    if (auto order = order_of(known, now)) ask.orders.push_back(std::move(*order));
  };
  // In turns, so that one of many tenants keeps no other back.
  const auto first = known_.upper_bound(asked_until_);
  for (auto next = first; next != known_.end(); ++next) add(next->second);
  for (auto next = known_.begin(); next != first; ++next) add(next->second);
  if (ask.orders.empty()) return std::nullopt;
  const std::size_t share = std::max<std::size_t>(1, kVisitTenantsMax / ask.orders.size());
  for (VisitsPart::Order& order : ask.orders)
    order.order.tenants_max = std::min(order.order.tenants_max, share);
  return ask;
}

void FanOuts::answered(const VisitsPart::Ask& ask, const VisitsPart::Answer& answer, Now now,
                       Actions& actions) {
  if (!ask.orders.empty()) asked_until_ = ask.orders.back().order.fan_out;
  for (std::size_t index = 0; index < ask.orders.size(); ++index) {
    const VisitsPart::Order& order = ask.orders[index];
    const queue::VisitReply& reply = answer[index];
    const auto found = known_.find(order.order.fan_out);
    if (found == known_.end()) continue;
    if (reply.is_stale) {
      mark_ = queue::FanOutsMark{-1};  // read again, and left alone until then
      known_.erase(found);
      continue;
    }
    absorb(found->second, order, reply, now.steady);
    note(found->second.fan_out, reply, now, actions);
    if (!reply.is_done) continue;
    told_.erase(order.order.fan_out);
    known_.erase(found);
  }
  look_for_rates();
}

void FanOuts::absorb(Known& known, const VisitsPart::Order& order, const queue::VisitReply& reply,
                     Instant now) {
  known.fan_out.after = reply.after;
  known.fan_out.visited = reply.visited;
  known.fan_out.cancelled_until = reply.cancelled_until;
  if (!known.fan_out.rate) return;
  if (order.order.waiting_max > 0) {
    known.waiting = {reply.waiting.begin(), reply.waiting.end()};
    known.is_counted = true;
    known.look_at = now + kWaitingLook;
  } else if (!order.order.look.empty()) {
    known.looked(order.order.look, reply.waiting, now);
  }
  known.waiting.insert(reply.made.begin(), reply.made.end());
  std::erase_if(known.started, [&](Instant start) { return start + known.fan_out.rate->window <= now; });
}

void FanOuts::started(queue::JobSeq job, Instant now) {
  for (auto& [number, known] : known_) {
    if (known.waiting.erase(job) == 0) continue;
    known.running.insert(job);
    known.started.push_back(now);
  }
}

void FanOuts::ended(queue::JobSeq job, bool is_given_back) {
  for (auto& [number, known] : known_)
    if (known.running.erase(job) > 0 && is_given_back) known.waiting.insert(job);
}

void FanOuts::look_for_rates() {
  has_rates_ =
      std::ranges::any_of(known_, [](const auto& entry) { return entry.second.fan_out.rate.has_value(); });
}

void FanOuts::note(const queue::OpenFanOut& fan_out, const queue::VisitReply& reply, Now now,
                   Actions& actions) {
  const auto told = told_.find(fan_out.number);
  const bool is_stopped = !reply.why.empty() && reply.refused == 0;
  const bool is_news = !reply.why.empty() &&
                       (is_stopped || told == told_.end() || now.steady >= told->second + kFanOutNotePause);
  if (is_news) {
    told_[fan_out.number] = now.steady;
    actions.emplace_back(
        Note{.level = Note::Level::warning,
             .event = "fanout.refused",
             .message = reply.refused > 0
                            ? fmt::format("{} made no job for {} of its tenants, which it skips: {}",
                                          text_of(fan_out), reply.refused, escaped(reply.why, kVisitWhyShown))
                            : fmt::format("{} is ended, since nothing more of it can be made: {}",
                                          text_of(fan_out), escaped(reply.why, kVisitWhyShown)),
             .pool = {},
             .process = {}});
  }
  if (!reply.is_done || is_stopped) return;
  actions.emplace_back(Note{
      .level = Note::Level::info,
      .event = "fanout.visited",
      .message =
          fan_out.is_cancelled
              ? fmt::format(
                    "{} is cancelled: it has visited {} of {} tenants, and none of its jobs waits to start.",
                    text_of(fan_out), fan_out.visited, fan_out.tenants)
              : fmt::format("{} has visited its {} tenants.", text_of(fan_out), fan_out.visited),
      .pool = {},
      .process = {}});
}

std::optional<Instant> FanOuts::next_at(Now now) const {
  std::optional<Instant> next;
  for (const auto& [number, known] : known_) {
    if (known.fan_out.is_cancelled) continue;
    Instant at = known.room_at(now.steady);
    if (known.fan_out.visited < known.fan_out.tenants)
      at = std::max(at, now.steady + (queue::next_visit_of(known.fan_out) - now.wall));
    if (!next || at < *next) next = at;
  }
  return next;
}

}  // namespace tenure::daemon
