#include <tenure/daemon/round.hpp>

#include <chrono>
#include <utility>

namespace tenure::daemon {

using queue::JobState;
using queue::StoreReader;
using queue::StoreWriter;

namespace {

constexpr std::chrono::sys_days kIncarnationEpoch{std::chrono::year{2020} / 1 / 1};

// Carries out one end; the state that the job has then.
struct EndCarrier {
  StoreWriter& writer;
  queue::ClaimRef claim;
  WallTime now;

  static Result<JobState> state_after(const Result<void>& result, JobState state) {
    if (!result) return tl::unexpected(result.error());
    return state;
  }
  Result<JobState> operator()(const EndSucceeded&) const {
    return state_after(writer.finish_succeeded(claim, now), JobState::succeeded);
  }
  Result<JobState> operator()(const EndRetry& end) const {
    return state_after(writer.retry(claim, end.due, end.failure, now), JobState::scheduled);
  }
  Result<JobState> operator()(const EndFinal& end) const {
    return state_after(writer.finish(claim, end.state, end.reason, end.failure, now), end.state);
  }
  Result<JobState> operator()(const EndRelease& end) const {
    return state_after(writer.release(claim, end.started, end.why, now), JobState::ready);
  }
  Result<JobState> operator()(const EndBlock& end) const {
    return state_after(writer.block(claim, end.reason, now), JobState::blocked);
  }
  Result<JobState> operator()(const EndReclaim& end) const {
    const bool is_dead = end.charge == queue::CrashCharge::poison;
    return state_after(writer.reclaim(claim, end.charge, end.failure, now),
                       is_dead ? JobState::dead : JobState::ready);
  }
};

// Several requests of one round may ask for the same lane, for different processes: the later ones need not step over what the
// earlier ones have just claimed.
class Claimer {
 public:
  Claimer(StoreWriter& writer, std::size_t bytes_max, WallTime now)
      : writer_(writer), now_(now), bytes_left_(bytes_max) {}

  queue::ClaimReply claim(queue::ClaimRequest request) {
    if (bytes_left_ == 0 && !request.first_of_any_size) return {.stopped_by_bytes = true};
    request.bytes_max = std::min(request.bytes_max, bytes_left_);
    for (queue::LaneCursor& cursor : request.kinds) {
      const auto found = claimed_until_.find(lane_of(request, cursor));
      if (found != claimed_until_.end() && (!cursor.after || *cursor.after < found->second))
        cursor.after = found->second;
    }
    queue::ClaimReply reply = writer_.claim(request, now_);
    for (const queue::ClaimedJob& job : reply.jobs) bytes_left_ -= std::min(bytes_left_, job.envelope.size());
    if (reply.stopped_by_bytes) bytes_left_ = 0;
    if (reply.jobs.empty()) return reply;
    for (const queue::LaneCursor& cursor : request.kinds) {
      claimed_until_.insert_or_assign(lane_of(request, cursor), reply.jobs.back().place);
    }
    return reply;
  }

 private:
  static queue::Lane lane_of(const queue::ClaimRequest& request, const queue::LaneCursor& cursor) {
    return {request.queue, request.priority, request.tenant, cursor.kind};
  }
  StoreWriter& writer_;
  WallTime now_;
  std::size_t bytes_left_;
  std::map<queue::Lane, queue::LanePlace> claimed_until_;
};

void read_part(StoreReader& reader, const RoundWork& work, RoundReply& reply) {
  if (work.arrivals_after) reply.arrived = reader.arrivals(*work.arrivals_after, kRoundRowsMax);
  if (work.lanes_after) {
    reply.last_seq = reader.last_seq();
    reply.lanes = reader.lanes(*work.lanes_after, kRoundRowsMax);
  }
  for (const TenantNumber tenant : work.tenant_states) {
    if (const auto state = reader.tenant_state(tenant)) reply.tenant_states.emplace(tenant, *state);
  }
  for (const queue::QueueNumber queue : work.queue_names)
    reply.queue_names.emplace(queue, reader.queue_name(queue));
  for (const queue::KindNumber kind : work.kind_names) reply.kind_names.emplace(kind, reader.kind_name(kind));
}

RoundReply write_round(StoreWriter& writer, const RoundWork& work, WallTime now) {
  RoundReply reply;
  if (work.open) {
    const auto since_2020 = std::chrono::floor<std::chrono::seconds>(now - kIncarnationEpoch);
    reply.incarnation = writer.open_incarnation(since_2020.count(), work.open->node, work.open->pid, now);
  }
  reply.ends.reserve(work.ends.size());
  for (const ClaimEnd& end : work.ends)
    reply.ends.push_back(std::visit(EndCarrier{writer, end.claim, now}, end.how));
  if (work.reclaim_before) {
    reply.reclaimed = writer.reclaim_of_former_holders(*work.reclaim_before, kRoundRowsMax, now);
  }
  if (work.promote) reply.promoted = writer.promote(now, kRoundRowsMax);
  if (work.unblock)
    reply.unblocked = writer.unblock(work.unblock->reason, work.unblock->after, kRoundRowsMax, now);
  if (work.take_hints) reply.hinted = writer.take_lane_hints(kRoundRowsMax);
  read_part(writer.reader(), work, reply);
  Claimer claimer(writer, work.claims_bytes_max, now);
  reply.claims.reserve(work.claims.size());
  for (const queue::ClaimRequest& request : work.claims) reply.claims.push_back(claimer.claim(request));
  if (work.promote || work.arrivals_after) reply.next_due = writer.reader().next_due();
  return reply;
}

}  // namespace

bool RoundWork::is_empty() const {
  return !open && ends.empty() && !reclaim_before && !promote && !unblock && !take_hints && !arrivals_after &&
         !lanes_after && claims.empty() && tenant_states.empty() && queue_names.empty() && kind_names.empty();
}

queue::Durability RoundWork::durability() const {
  return open ? queue::Durability::durable : queue::Durability::ordered;
}

RoundReply run_round(queue::Store& store, const RoundWork& work, WallTime now) {
  const std::int64_t counter = work.count_changes ? store.change_counter() : 0;
  RoundReply reply;
  if (work.unless_changed_since == counter) {
    reply.was_unchanged = true;
  } else {
    // A work that throws may be called again by nobody, but what it has filled in must not survive it.
    store.write(work.durability(), [&](StoreWriter& writer) { reply = write_round(writer, work, now); });
  }
  reply.change_counter = counter;
  return reply;
}

}  // namespace tenure::daemon
