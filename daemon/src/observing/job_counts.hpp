#pragma once

#include "histogram.hpp"
#include "label_bound.hpp"
#include "runs.hpp"

#include <tenure/daemon/dispatcher.hpp>

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

namespace tenure::daemon {

// What has become of jobs and their runs since this daemon began, counted by queue and kind; from what the dispatcher asks the store and
// is answered.
// Threads: one at a time.
class JobCounts {
 public:
  void began(const Run& run, Now now);
  // A run whose worker process has said how it ended.
  void ended(const Run& run, const AttemptEnd& end);
  // A round that the store has carried out.
  void stored(const RoundWork& work, const RoundReply& reply);

  void add_to(MetricFamilies& families) const;

 private:
  // Where a queue and a kind have their labels.
  using Key = std::pair<std::size_t, std::size_t>;
  [[nodiscard]] Key key_of(const queue::Lane& lane) {
    return {queues_.place_of(lane.queue.value), kinds_.place_of(lane.kind.value)};
  }
  struct Counts {
    std::int64_t enqueued = 0;
    std::int64_t started = 0;
    std::map<std::string_view, std::int64_t> finished;  // by outcome
    std::map<std::string_view, std::int64_t> final;     // by state
  };
  void stored_end(const ClaimEnd& end, const Result<queue::JobState>& state);
  void count_final(Key key, queue::JobState state, bool is_poison);
  void learn_names(const RoundWork& work, const RoundReply& reply);
  // Nothing while a name is not known.
  [[nodiscard]] std::optional<Labels> labels_of(Key key) const;

  LabelBound queues_;
  LabelBound kinds_;
  std::map<Key, Counts> counts_;
  std::map<std::size_t, std::int64_t> poison_;          // by kind
  std::map<std::size_t, DurationHistogram> delays_;     // by queue
  std::map<std::size_t, DurationHistogram> run_times_;  // by kind
  // By error; those that are watched are there from the start.
  std::map<std::string_view, std::int64_t> refusals_{{name_of(ErrorCode::wrong_tenant), 0},
                                                     {name_of(ErrorCode::tenant_not_ready), 0},
                                                     {name_of(ErrorCode::tenant_unavailable), 0}};
  std::int64_t capsules_taken_ = 0;
  std::int64_t capsules_failed_ = 0;
  std::int64_t claims_lost_ = 0;
  std::int64_t reclaimed_from_workers_ = 0;
  std::int64_t reclaimed_from_daemons_ = 0;
};

}  // namespace tenure::daemon
