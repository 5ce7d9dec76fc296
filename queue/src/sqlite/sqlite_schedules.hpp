#pragma once

#include "../schedule_rows.hpp"

#include <tenure/base/sqlite/connection.hpp>

// Schedules as rows of the control database. Internal.
namespace tenure::queue {

class SqliteWriter;

class SqliteScheduleRows final : public WritableScheduleRows {
 public:
  explicit SqliteScheduleRows(sqlite::Connection& connection, SqliteWriter* writer = nullptr)
      : connection_(connection), writer_(writer) {}

  std::vector<ScheduleRecord> all() override;
  std::optional<ScheduleRecord> numbered(ScheduleNumber number) override;
  std::optional<ScheduleRecord> named(std::string_view name) override;
  SchedulesMark mark() override;
  std::vector<TickRecord> ticks(ScheduleNumber schedule, std::size_t limit) override;
  std::optional<TickRecord> tick_of(JobId job) override;
  std::optional<TenantRecord> tenant(const TenantName& name) override;
  std::vector<PoolRecord> pools() override;
  ScheduleNumber insert(const ScheduleRecord& row) override;
  void update(const ScheduleRecord& row) override;
  void erase(ScheduleNumber number) override;
  void advance(const ScheduleRecord& row) override;
  bool add_tick(const TickRow& row) override;
  void forget_ticks(WallTime before, std::size_t limit) override;
  void add_unended(ScheduleNumber schedule, TenantNumber tenant, JobSeq seq) override;
  void forget_unended(ScheduleNumber schedule, TenantNumber tenant, JobSeq seq) override;
  std::vector<UnendedJob> unended(ScheduleNumber schedule, TenantNumber tenant, std::size_t limit) override;
  std::vector<Blocked> blocked(JobSeq after, std::size_t limit) override;
  void make_ready(JobSeq seq, WallTime now) override;
  std::vector<TenantRecord> firing_tenants(TenantNumber after, std::size_t limit,
                                           bool with_read_only) override;
  Result<Enqueued> enqueue(const NewJob& job, bool is_blocked, WallTime now) override;

 private:
  sqlite::Connection& connection_;
  SqliteWriter* writer_;  // null for who only reads
};

[[nodiscard]] std::vector<const sqlite::Query*> schedule_queries();

}  // namespace tenure::queue
