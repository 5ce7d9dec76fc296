#pragma once

#include "schedule_rows.hpp"

// What is done with schedules, the same in every store. Internal.
namespace tenure::queue {

class ScheduleQuestions final : public ScheduleReader {
 public:
  explicit ScheduleQuestions(ScheduleRows& rows) : rows_(rows) {}
  std::vector<ShownSchedule> schedules() override;
  std::vector<TickRecord> ticks(ScheduleNumber schedule, std::size_t limit) override {
    return rows_.ticks(schedule, limit);
  }
  std::optional<TickRecord> tick_of(JobId job) override { return rows_.tick_of(job); }

 private:
  [[nodiscard]] std::string disabled(const ScheduleRecord& row);
  ScheduleRows& rows_;
};

class ScheduleVerbs final : public ScheduleWriter {
 public:
  explicit ScheduleVerbs(WritableScheduleRows& rows) : rows_(rows) {}

  void declare(std::span<const DeclaredSchedule> entries, WallTime now) override;
  Result<ScheduleNumber> add(const ScheduleEntry& entry, WallTime now) override;
  Result<void> remove(std::string_view name) override;
  Result<void> pause(std::string_view name, const SchedulePause& pause) override;
  Result<void> resume(std::string_view name) override;
  Result<Enqueued> run_now(std::string_view name, const std::optional<TenantName>& tenant,
                           WallTime now) override;
  std::optional<OpenSchedules> open(SchedulesMark known) override;
  TickReply tick(const TickOrder& order, std::size_t limit, WallTime now) override;
  ReleasedJobs release_blocked(JobSeq after, std::size_t limit, WallTime now) override;

  // A job that has ended is to run again: where a tick that is still kept has made it, it counts as its schedule's. True where it has to wait
  // for another one of it; LimitReached where the overlap policy allows none beside that.
  [[nodiscard]] Result<bool> readmit(JobId id, JobSeq seq, TenantNumber tenant);

 private:
  // One job of one tick.
  struct Firing {
    const ScheduleRecord& schedule;
    WallTime tick{};
    bool is_manual = false;
    std::optional<TenantRecord> tenant = {};  // nothing: without one
  };
  enum class Room : std::uint8_t { free, behind_another, none };
  struct Found {
    Room room = Room::free;
    std::optional<JobId> other = {};  // that has not ended
  };

  [[nodiscard]] tl::unexpected<Failure> no_room(const ScheduleRecord& schedule, const Found& place);
  void tell_of_waiting(const ScheduleRecord& schedule);
  [[nodiscard]] Result<ScheduleRecord> found(std::string_view name);
  void declare_one(const DeclaredSchedule& declared, WallTime now);
  [[nodiscard]] Found room_for(const ScheduleRecord& schedule, TenantNumber tenant);
  [[nodiscard]] Result<Enqueued> enqueue(const Firing& firing, Room room, WallTime now);
  void fire(const Firing& firing, WallTime now, TickReply& reply);
  // Of a schedule of one tenant.
  void fire_in_tenant(ScheduleRecord& row, WallTime tick, WallTime now, TickReply& reply);
  void fan_out(ScheduleRecord& row, std::size_t limit, WallTime now, TickReply& reply);
  [[nodiscard]] bool is_free(const WritableScheduleRows::Blocked& job);
  void note(const ScheduleRecord& row, const std::vector<WallTime>& ticks, TickResult result);

  WritableScheduleRows& rows_;
};

}  // namespace tenure::queue
