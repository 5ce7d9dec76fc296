#pragma once

#include "fresh_jobs.hpp"
#include "interned_names.hpp"

#include <tenure/queue/store.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

// What the dispatcher asks, inside a write transaction. Internal.
namespace tenure::queue {

class SqliteLaneReader final : public LaneReader {
 public:
  // `fresh` makes the fresh jobs ready for this transaction.
  SqliteLaneReader(sqlite::Connection& connection, TransactionNames& names, std::function<FreshJobs&()> fresh)
      : connection_(connection), names_(names), fresh_(std::move(fresh)) {}

  std::vector<Lane> lanes(const std::optional<Lane>& after, std::size_t limit) override;
  JobSeq known_until() override;
  std::vector<JobArrival> arrivals(JobSeq after, std::size_t limit) override;
  std::optional<WallTime> next_due() override;
  std::optional<TenantState> tenant_state(TenantNumber tenant) override;
  std::string tenant_name(TenantNumber tenant) override;
  std::string queue_name(QueueNumber queue) override;
  std::string kind_name(KindNumber kind) override;
  std::optional<QueueNumber> queue_number(std::string_view name) override;
  std::optional<KindNumber> kind_number(std::string_view name) override;
  std::vector<Suspect> suspects(JobSeq after, std::size_t limit) override;

 private:
  [[nodiscard]] std::vector<Lane> lanes_of_ready(const std::optional<Lane>& after, std::size_t limit);
  [[nodiscard]] std::vector<JobArrival> known_rows(JobSeq after, JobSeq until, std::size_t limit);

  sqlite::Connection& connection_;
  TransactionNames& names_;
  std::function<FreshJobs&()> fresh_;
};

[[nodiscard]] std::vector<const sqlite::Query*> lane_queries();

}  // namespace tenure::queue
