#pragma once

#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/limit_rule.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

// How many more may start of those that a limit counts together, by the claims that stand, those that a round under way has planned, and
// the starts of the time behind us. It knows groups and no lanes: which lanes stand at a gate is theirs.
//   running    claims of the group, from their answer to the answer to their end
//   planned    asked for by the round under way; nothing once it has been answered
//   buckets    of a rate, in the order of their starts; those of a dispatcher before this one count as full
// A group is open while another one may start. Where there are no limits nothing is kept and nothing asked.
namespace tenure::daemon {

class StartLimits {
 public:
  [[nodiscard]] bool is_any() const { return !limits_.empty(); }

  // --- What is declared.
  // In place of those before. Groups whose limit is gone, or counts others together, are forgotten; what runs is counted anew.
  void set(std::vector<queue::OpenLimit> limits);
  // What dispatchers before this one have noted.
  void restore(const std::vector<queue::StartBucket>& buckets, Now now);
  // A queue or a kind has its name now.
  void forget_names() { taking_.clear(); }
  // Places in limits() of those that take such jobs. The names are asked for once.
  template <class Names>
  [[nodiscard]] const std::vector<std::size_t>& taking(const queue::Lane& lane, Names&& names) const {
    const auto [entry, is_new] = taking_.try_emplace({lane.queue, lane.kind});
    if (is_new) {
      const std::pair<std::string, std::string> named = names();
      entry->second = find_taking(named.first, named.second);
    }
    return entry->second;
  }
  [[nodiscard]] const std::vector<queue::OpenLimit>& limits() const { return limits_; }
  [[nodiscard]] queue::LimitGroup group(std::size_t limit, const queue::Lane& lane) const {
    return queue::group_of(limits_[limit].number, limits_[limit].target, lane);
  }

  // --- Counts. Each changes one group.
  // A claim that stands, found where limits are new.
  void found(const queue::LimitGroup& group);
  void planned(const queue::LimitGroup& group, std::int64_t jobs);
  void started(const queue::LimitGroup& group, Instant now);
  void ended(const queue::LimitGroup& group);
  // A round is over: what it has planned has been counted, or has not happened.
  void forget_plans();
  // Starts that count no more.
  void expire(Instant now);
  // When the first closed group may open again by itself.
  [[nodiscard]] std::optional<Instant> next_opening() const;
  // Groups that were opened or closed since the last call.
  [[nodiscard]] std::vector<queue::LimitGroup> take_changed();

  // --- Questions.
  [[nodiscard]] std::int64_t room(const queue::LimitGroup& group) const;
  [[nodiscard]] bool is_at_cap(const queue::LimitGroup& group) const;
  // Of a rate that is used up; nothing: none is, or nobody can tell yet.
  [[nodiscard]] std::optional<Instant> next_start(const queue::LimitGroup& group) const;
  // Whether its limit counts each tenant by itself: the untenanted jobs are one more.
  [[nodiscard]] bool is_per_tenant(const queue::LimitGroup& group) const {
    const queue::OpenLimit* const limit = limit_of(group);
    return limit != nullptr && limit->target.per.tenant;
  }
  [[nodiscard]] bool has_rate(std::size_t limit) const { return limits_[limit].bounds.rate.has_value(); }
  // Claims of each group of which there are any.
  [[nodiscard]] std::map<queue::LimitGroup, std::int64_t> running() const;

  // --- What is noted in the commit of the round that is being made; nothing: it has planned nothing that a limit counts.
  [[nodiscard]] std::optional<std::vector<queue::BucketNote>> take_notes(Instant now);
  // The round has failed.
  void not_noted(const std::vector<queue::BucketNote>& notes);

 private:
  struct Bucket {
    std::int64_t number = 0;
    std::int64_t starts = 0;  // that it takes; only the newest takes any more
    std::int64_t taken = 0;
    std::int64_t told = 0;  // how many starts the store counts in it
    Instant opened;
    Instant last;  // start
    bool is_told_last = false;
  };
  struct Group {
    std::int64_t running = 0;
    std::int64_t planned = 0;
    std::int64_t used = 0;  // of all buckets
    std::int64_t next_number = 1;
    std::vector<Bucket> buckets;
    bool is_open = true;
    std::optional<Instant> expiry;  // as it stands in expiries_
    bool waits = false;             // and in waiting_
  };
  using Groups = std::map<queue::LimitGroup, Group>;
  [[nodiscard]] std::vector<std::size_t> find_taking(const std::string& queue, const std::string& kind) const;
  [[nodiscard]] const queue::OpenLimit* limit_of(const queue::LimitGroup& group) const;
  [[nodiscard]] static std::int64_t room(const queue::LimitBounds& bounds, const Group& group);
  // Puts right what follows from its counts, and forgets one that is empty.
  void refresh(Groups::iterator group);
  void expire(Group& group, std::chrono::microseconds window, Instant now);
  [[nodiscard]] static std::optional<Instant> first_expiry(const queue::LimitBounds& bounds,
                                                           const Group& group);
  // What the store is told of a group, at most of two buckets of it.
  void add_notes(const queue::LimitGroup& id, Group& group, Instant now,
                 std::vector<queue::BucketNote>& notes);
  // Takes no more starts; nothing where the store knows how many there are in it.
  [[nodiscard]] static std::optional<queue::BucketNote> close_newest(const queue::LimitGroup& id,
                                                                     Group& group, const StartRate& rate,
                                                                     Instant now);

  std::vector<queue::OpenLimit> limits_;  // by number
  mutable std::map<std::pair<queue::QueueNumber, queue::KindNumber>, std::vector<std::size_t>> taking_;
  Groups groups_;
  std::set<queue::LimitGroup> planned_;  // that have plans
  std::set<queue::LimitGroup> to_note_;  // of whose last bucket the store says wrongly whether it is the last
  std::set<std::pair<Instant, queue::LimitGroup>> expiries_;  // of the first bucket of each group
  std::set<std::pair<Instant, queue::LimitGroup>> waiting_;   // those of them that are closed by their rate
  std::set<queue::LimitGroup> changed_;

  TENURE_REMEMBERS(limits, taking, groups, planned, to_note, expiries, waiting, changed)
};

}  // namespace tenure::daemon
