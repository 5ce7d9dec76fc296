#pragma once

#include <tenure/daemon/round.hpp>

#include <memory>
#include <utility>
#include <vector>

// Rounds that tests write and read without the dispatcher.
namespace tenure::daemon {

inline const queue::Lane kLane{queue::QueueNumber{1}, queue::Priority{0}, TenantNumber{5},
                               queue::KindNumber{3}};

template <class Part>
RoundWork asking(typename Part::Ask ask) {
  RoundWork work;
  work.ask<Part>() = std::move(ask);
  return work;
}

inline std::vector<queue::ClaimRequest> claims_in(const RoundWork& work) {
  const auto& ask = work.ask<ClaimsPart>();
  return ask ? ask->requests : std::vector<queue::ClaimRequest>{};
}

inline std::vector<ClaimEnd> ends_in(const RoundWork& work) {
  return work.ask<EndsPart>().value_or(std::vector<ClaimEnd>{});
}

// Fills in what the test left open: ends succeed, tenants are active, names are "default" and "job", everything else finds nothing.
inline RoundReply completed(RoundReply reply, const RoundWork& work) {
  RoundParts::for_each([&]<class Part>() {
    auto& answer = reply.answer<Part>();
    if (!work.ask<Part>()) answer.reset();
    else if (!answer) answer.emplace();
  });
  if (const auto& ends = work.ask<EndsPart>())
    while (reply.answer<EndsPart>()->size() < ends->size())
      reply.answer<EndsPart>()->emplace_back(queue::JobState::succeeded);
  if (const auto& told = work.ask<OutboxRowsPart>()) {
    auto& relayed = *reply.answer<OutboxRowsPart>();
    while (relayed.size() < told->size())
      relayed.push_back({.watermark = (*told)[relayed.size()].report.rows.rows.back().seq});
  }
  if (const auto& tenants = work.ask<TenantStatesPart>())
    reply.answer<TenantStatesPart>()->resize(tenants->size(), TenantState::active);
  if (const auto& names = work.ask<NamesPart>()) {
    reply.answer<NamesPart>()->queues.resize(names->queues.size(), "default");
    reply.answer<NamesPart>()->kinds.resize(names->kinds.size(), "job");
  }
  if (const auto& claims = work.ask<ClaimsPart>())
    reply.answer<ClaimsPart>()->resize(claims->requests.size());
  return reply;
}

}  // namespace tenure::daemon
