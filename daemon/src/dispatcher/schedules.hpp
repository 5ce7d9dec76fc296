#pragma once

#include "remembered.hpp"

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/rounds/ticks.hpp>
#include <tenure/queue/schedule.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// Which schedules there are and when each is due next. It makes no job: the store does, in the commit that decides the tick, so that a tick
// whose answer is lost is either decided or due still.
namespace tenure::daemon {

// Orders and tenants of one round: for a schedule of a hundred thousand tenants other work goes on in between.
inline constexpr std::size_t kTickOrdersMax = 20;
inline constexpr std::size_t kTickTenantsMax = 200;
// Between two looks for jobs that wait for another one of their schedule, while jobs end all the time.
inline constexpr std::chrono::milliseconds kReleasePause{20};
// And while some wait of which nobody tells that they need not: they were not due, or an operator has ended the one before them. For each
// job that waits a millisecond more.
inline constexpr std::chrono::milliseconds kReleaseLook{1'000};
// How long a schedule is left alone whose tenant is being made or migrated.
inline constexpr std::chrono::seconds kTenantWait{1};
// Of one schedule an operator is told at most once in this time.
inline constexpr std::chrono::minutes kScheduleNotePause{1};

class Schedules {
 public:
  explicit Schedules(std::optional<std::vector<queue::DeclaredSchedule>> declared)
      : to_declare_(std::move(declared)) {}

  // Those of the configuration, read again.
  void declare(std::vector<queue::DeclaredSchedule> declared) { to_declare_ = std::move(declared); }

  // As of which change they are known.
  [[nodiscard]] queue::SchedulesMark mark() const { return mark_; }
  void read(queue::OpenSchedules open);

  // What a round shall do about them; nothing: nothing.
  [[nodiscard]] std::optional<TicksPart::Ask> ask(Now now) const;
  void answered(const TicksPart::Ask& ask, const TicksPart::Answer& answer, Now now, Actions& actions);
  // Ends of jobs are stored, behind which others may wait.
  void ends_stored() { releases_ = releases_ || blocked_ > 0 || release_after_; }
  // Behind which the next page of them is looked at; nothing: none is.
  [[nodiscard]] std::optional<queue::JobSeq> release_after(Instant now) const;
  void released(const queue::ReleasedJobs& page, Instant now);
  // When the next one is due, if the wall clock does not jump.
  [[nodiscard]] std::optional<Instant> next_at(Now now) const;

 private:
  struct Known {
    queue::ScheduleRecord schedule;
    std::optional<WallTime> next = {};  // nothing: never
    Instant not_before = {};

    [[nodiscard]] bool is_due(Now now) const {
      return now.steady >= not_before && (schedule.fan_out || (next && *next <= now.wall));
    }
  };
  void note(const TicksPart::Order& order, const queue::TickReply& reply, Now now, Actions& actions);

  std::optional<std::vector<queue::DeclaredSchedule>> to_declare_;
  queue::SchedulesMark mark_{0};
  queue::ScheduleNumber asked_until_{0};  // the next round begins behind it
  std::map<queue::ScheduleNumber, Known> known_;
  std::int64_t blocked_ = 0;  // jobs that wait for others of their schedules
  bool releases_ = false;     // some of them may wait no more
  // The page under way, and what the ones before it have left.
  std::optional<queue::JobSeq> release_after_;
  std::int64_t left_ = 0;
  Instant next_release_{};
  std::optional<Instant> look_again_;  // while some wait
  std::map<queue::ScheduleNumber, Instant> told_;

  TENURE_REMEMBERS(to_declare, mark, asked_until, known, blocked, releases, release_after, left, next_release,
                   look_again, told)
};

}  // namespace tenure::daemon
