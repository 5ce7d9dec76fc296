#include "pool_turns.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace tenure::daemon {
namespace {

using std::chrono::microseconds;

constexpr std::int64_t kTimeMax =
    1'000'000'000'000'000;  // us, for all jobs of one tenant; kTurnTenantsMax of it are no overflow

// The processes of one offer of a pool that take jobs.
struct Slots {
  std::int64_t all = 0, busy = 0;
  std::optional<microseconds> until_free;  // where all are busy; nothing: nobody can tell
};

class OfferTurn {
 public:
  OfferTurn(const Lanes& lanes, const Processes& processes, const UsualRunTimes& usual, std::size_t pool,
            std::size_t offer)
      : lanes_(lanes), processes_(processes), usual_(usual), pool_(pool), offer_(offer) {}

  // Nothing where nothing of the lane can be claimed there.
  [[nodiscard]] std::optional<PoolTurn> of(const queue::Lane& lane, std::int64_t ahead, Instant now) const {
    const Bucket bucket{lane.queue, lane.priority};
    const Ring& ring = lanes_.ring(pool_);
    const Slots slots = slots_at(now);
    if (slots.all == 0 || !ring.is_in(bucket, lane.tenant, offer_) || !lanes_.performs(pool_, offer_, lane) ||
        !lanes_.has_room(lane))
      return std::nullopt;
    PoolTurn turn{.slots = slots.all, .busy = slots.busy};
    const auto before = time_before(lane, bucket, ahead, turn);
    const auto until_free = slots.busy < slots.all ? std::optional{microseconds{0}} : slots.until_free;
    if (before && until_free) turn.expected = *before / slots.all + *until_free;
    return turn;
  }

 private:
  [[nodiscard]] Slots slots_at(Instant now) const {
    Slots slots;
    for (const auto& [number, process] : processes_.all()) {
      if (process.pool != pool_ || process.offer != offer_ || !process.takes_jobs()) continue;
      slots.all += static_cast<std::int64_t>(process.slots);
      slots.busy += static_cast<std::int64_t>(process.jobs.performing());
      process.jobs.for_each_performing([&](const OutstandingJob& job, Instant since) {
        if (!usual_.knows(job.lane.kind)) return;
        const microseconds left = std::max(microseconds{0}, usual_.of(job.lane.kind) - (now - since));
        slots.until_free = std::min(slots.until_free.value_or(left), left);
      });
    }
    return slots;
  }

  // The slot time of all that starts before it. Nothing where nobody can tell: jobs of a better queue or priority that nobody has counted
  // come first, kinds that have not run here, or too many tenants to look at.
  [[nodiscard]] std::optional<microseconds> time_before(const queue::Lane& lane, const Bucket& bucket,
                                                        std::int64_t ahead, PoolTurn& turn) const {
    const Ring& ring = lanes_.ring(pool_);
    const std::int64_t usual = usual_.of(lane.kind).count();
    std::int64_t total = ahead * usual;
    // Whoever has used less by then goes first, up to there.
    const std::int64_t until_us = ring.virtual_us(lane.tenant) + total;
    bool is_before = true;
    bool is_known = ahead == 0 || usual_.knows(lane.kind);
    std::int64_t looks = 0;
    for (auto at = ring.first(offer_); at && (is_before || is_known); at = ring.after(*at, offer_)) {
      const bool is_same = at->bucket == bucket;
      if (is_same && at->tenant == lane.tenant) {
        is_before = false;
        continue;
      }
      if (!is_before && (!is_same || at->virtual_us >= until_us)) break;
      if (++looks > kTurnTenantsMax) {
        turn.is_capped = is_before;
        return std::nullopt;
      }
      if (is_before) ++turn.tenants_before;
      const auto time = time_of(*at, is_same ? std::optional{until_us - at->virtual_us} : std::nullopt);
      is_known = is_known && time;
      total += time.value_or(0);
    }
    return is_known ? std::optional{microseconds{total}} : std::nullopt;
  }

  // What a tenant before it uses: all that it has there, or no more than brings it to `share`.
  [[nodiscard]] std::optional<std::int64_t> time_of(const Ring::Standing& standing,
                                                    std::optional<std::int64_t> share) const {
    std::int64_t usual = 1;
    bool is_usual_known = true;
    lanes_.for_each_kind(pool_, offer_, standing, [&](const queue::LaneCursor& cursor) {
      usual = std::max(usual, usual_.of(cursor.kind).count());
      is_usual_known = is_usual_known && usual_.knows(cursor.kind);
    });
    const std::size_t jobs = lanes_.jobs_max(pool_, offer_, standing);
    const bool is_counted = jobs < static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
    if (!is_usual_known || (!is_counted && !share)) return std::nullopt;
    std::int64_t time = kTimeMax;
    if (is_counted && jobs < static_cast<std::size_t>(kTimeMax / usual))
      time = static_cast<std::int64_t>(jobs) * usual;
    return share ? std::min(time, std::max(*share, usual)) : time;
  }

  const Lanes& lanes_;
  const Processes& processes_;
  const UsualRunTimes& usual_;
  std::size_t pool_, offer_;
};

// Processes of a pool that perform different kinds have an order each.
void join(std::optional<PoolTurn>& turn, const PoolTurn& other) {
  if (!turn) {
    turn = other;
    return;
  }
  const bool is_sooner = other.expected && (!turn->expected || *other.expected < *turn->expected);
  if (is_sooner) turn->expected = other.expected;
  turn->slots += other.slots;
  turn->busy += other.busy;
  if (other.tenants_before >= turn->tenants_before) return;
  turn->tenants_before = other.tenants_before;
  turn->is_capped = other.is_capped;
}

}  // namespace

std::vector<PoolTurn> pool_turns(const Lanes& lanes, const Processes& processes,
                                 const std::vector<UsualRunTimes>& usual, const queue::Lane& lane,
                                 std::int64_t ahead, Instant now) {
  std::vector<PoolTurn> turns;
  for (std::size_t pool = 0; pool < usual.size(); ++pool) {
    if (!lanes.ring(pool).lists(lane.queue)) continue;
    std::optional<PoolTurn> turn;
    for (std::size_t offer = 0; offer < lanes.offers(pool); ++offer)
      if (const auto one = OfferTurn(lanes, processes, usual[pool], pool, offer).of(lane, ahead, now))
        join(turn, *one);
    if (!turn) continue;
    turn->pool = pool;
    turns.push_back(std::move(*turn));
  }
  return turns;
}

}  // namespace tenure::daemon
