#pragma once

#include "interned_names.hpp"

#include <tenure/queue/store.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

// The questions to the store as SQL on one connection inside one snapshot or transaction. Internal.
//   sqlite_reader.cpp      lanes, arrivals, names, one job
//   sqlite_list.cpp        lists and counts by a filter
//   sqlite_filter.cpp      what of a filter SQL can decide
//   sqlite_summaries.cpp   queues, tenants, the store
namespace tenure::queue {

struct SqliteFilter;
struct JobSource;

// What does not change while a store is open.
struct StoreFacts {
  std::size_t payload_max = 0;
  std::function<std::int64_t()> wal_bytes;
};

class SqliteReader final : public StoreReader {
 public:
  SqliteReader(sqlite::Connection& connection, TransactionNames& names, const StoreFacts& facts)
      : connection_(connection), names_(names), facts_(facts) {}

  std::vector<Lane> lanes(const std::optional<Lane>& after, std::size_t limit) override;
  std::vector<JobArrival> arrivals(JobSeq after, std::size_t limit) override;
  JobSeq last_seq() override;
  std::optional<WallTime> next_due() override;
  std::optional<TenantState> tenant_state(TenantNumber tenant) override;
  std::string queue_name(QueueNumber queue) override;
  std::string kind_name(KindNumber kind) override;
  std::optional<QueueNumber> queue_number(std::string_view name) override;
  std::optional<KindNumber> kind_number(std::string_view name) override;
  std::vector<JobRecord> list_jobs(const Filter& filter, const ListOptions& options, WallTime now) override;
  std::int64_t count_jobs(const Filter& filter, std::int64_t limit, WallTime now,
                          JobSeq succeeded_above) override;
  JobSeq scan_floor(std::int64_t rows) override;
  std::optional<JobRecord> find_job(JobId id) override;
  std::vector<AttemptRecord> attempts(JobSeq seq) override;
  std::optional<std::string> envelope(JobSeq seq) override;
  std::vector<QueueRecord> queues() override;
  std::vector<TenantSummary> tenants(const std::optional<TenantName>& after, std::size_t limit) override;
  StoreSummary summary() override;

 private:
  [[nodiscard]] std::optional<JobRecord> record(JobSeq seq);
  [[nodiscard]] std::optional<JobSeq> seq_of(JobId id);

  [[nodiscard]] SqliteFilter translate(const Filter& filter, WallTime now);
  void narrow_by_names(SqliteFilter& narrowed, const Filter& filter);
  void narrow_by_tenants(SqliteFilter& narrowed, const FilterTerm& term);
  [[nodiscard]] std::vector<JobRecord> list_by_ids(const SqliteFilter& narrowed, const Filter& filter,
                                                   const ListOptions& options, WallTime now);
  void list_source(const JobSource& source, const SqliteFilter& narrowed, const Filter& filter,
                   const ListOptions& options, WallTime now, std::vector<JobRecord>& jobs);
  [[nodiscard]] std::int64_t count_source(const JobSource& source, const SqliteFilter& narrowed,
                                          const Filter& filter, std::int64_t limit, WallTime now);

  void add_ready_counts(std::vector<TenantSummary>& summaries);

  sqlite::Connection& connection_;
  TransactionNames& names_;
  const StoreFacts& facts_;
};

[[nodiscard]] std::vector<const sqlite::Query*> reader_queries();
[[nodiscard]] std::vector<const sqlite::Query*> list_queries();
[[nodiscard]] std::vector<const sqlite::Query*> filter_queries();
[[nodiscard]] std::vector<const sqlite::Query*> summary_queries();

}  // namespace tenure::queue
