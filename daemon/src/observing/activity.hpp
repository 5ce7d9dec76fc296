#pragma once

#include "followed_runs.hpp"
#include "histogram.hpp"
#include "label_bound.hpp"
#include "top_tenants.hpp"
#include "two_spans.hpp"

#include <tenure/daemon/dispatcher.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tenure::daemon {

// What the daemon has been doing lately, for whoever looks on. It folds what the dispatcher is told and what it wants. A machine without
// I/O: the same events and actions give the same figures.
// Threads: one at a time.
class Activity final : private FollowedRuns::Listener {
 public:
  static constexpr std::chrono::seconds kRatesOver{5};        // to 10: the span before counts, too
  static constexpr std::chrono::seconds kDelaysOver{30};      // to 60
  static constexpr std::chrono::seconds kKindsOver{30 * 60};  // to 60 min: long jobs end seldom
  static constexpr std::chrono::seconds kSharesOver{10};
  static constexpr std::size_t kTenantsMax = 50, kKindsMax = 50;  // that are told of

  explicit Activity(Instant now);

  void happened(const Event& event, Now now);
  void decided(const Actions& actions, Now now);

  struct Kind {
    std::string name;
    std::int64_t running = 0;
    std::uint64_t runs = 0;  // that have ended
    std::optional<std::chrono::microseconds> p99;
  };
  struct View {
    std::chrono::microseconds up{0};
    std::chrono::microseconds rates_over{0};
    std::int64_t arrived = 0;  // in that time: jobs that were seen to come in
    std::int64_t ended = 0;    // jobs that ended for good
    std::int64_t failed = 0;   // attempts that did
    std::uint64_t starts = 0;  // of jobs; from when each was due to its start:
    std::optional<std::chrono::microseconds> delay_p50, delay_p99;
    std::vector<TopTenants::Chosen> tenants;  // those that used most slot time first
    std::vector<Kind> kinds;                  // those of which most run first
  };
  [[nodiscard]] View view(Instant now) const;

 private:
  struct Rates {
    std::int64_t arrived = 0, ended = 0, failed = 0;
  };
  using RunTimes = std::map<std::size_t, DurationHistogram>;  // by the kind's place

  void began(const Run& run, Now now) override;
  void ended(const Run& run, const AttemptEnd& end) override;
  void left(const Run& run, Now now) override;
  void stored(const RoundReply& reply);
  [[nodiscard]] std::vector<Kind> kinds() const;

  const Instant begun_at_;
  FollowedRuns runs_;
  std::shared_ptr<const RoundWork> round_;  // under way
  TwoSpans<Rates> rates_;
  TwoSpans<DurationHistogram> delays_;
  TwoSpans<RunTimes> run_times_;
  TopTenants top_tenants_;
  LabelBound kinds_;
};

}  // namespace tenure::daemon
