#pragma once

#include "control_schema.hpp"
#include "ended_jobs.hpp"
#include "free_pages.hpp"
#include "fresh_jobs.hpp"
#include "interned_names.hpp"
#include "known_owners.hpp"
#include "sqlite_registry.hpp"

#include <tenure/base/sqlite/database.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

// The store in a file. Internal.
namespace tenure::queue {

struct BookkeepingLimits {
  FreshLimits fresh;
  SettleLimits settle;
};

class SqliteStore final : public Store {
 public:
  SqliteStore(const SqliteStoreOptions& options, const Clock& clock, const BookkeepingLimits& limits,
              std::vector<sqlite::Migration> steps = control_migrations());

  void write(Durability durability, FunctionRef<void(StoreWriter&)> work) override;
  void read(FunctionRef<void(JobReader&)> work) override;
  void sync() override { database_.sync(); }
  Result<std::string> outbox_row(const NewJob& job) override {
    return make_outbox_row(job, payload_max_, keys_);
  }
  std::int64_t change_counter() override { return database_.data_version(); }
  void checkpoint(std::int64_t wal_bytes_min) override;
  bool tidy() override;
  bool erase_traces() override;
  TenantRegistry& registry() override { return registry_; }
  std::unique_ptr<TenantRegistry> audited_registry(AuditEntry entry, const Clock& clock) override;

  // What is held in memory, as of the last transaction.
  [[nodiscard]] const FreshJobs& fresh_for_test() const { return fresh_; }

 private:
  void checkpoint_if_long();
  void settle_if_many(std::size_t successes);
  bool absorb_when_idle();
  bool settle_some(std::int64_t rows_min, std::size_t rows);
  void remember(const std::vector<TransactionNames::Name>& names);

  SchemaWatch schema_;
  sqlite::Database database_;
  InternedNames committed_names_;
  KnownOwners known_owners_;
  std::size_t payload_max_;
  const KeyRing keys_;
  std::function<std::int64_t()> wal_bytes_;
  SqliteRegistry registry_;
  std::atomic<std::int64_t> next_checkpoint_bytes_;
  FreshJobs fresh_;  // in write transactions only
  std::mutex settle_mutex_;
  EndedJobs ended_;  // under the mutex, as the number below
  std::int64_t successes_since_look_ = 0;
  std::mutex traces_mutex_;
  FreePages free_pages_;  // under the mutex
};

[[nodiscard]] std::unique_ptr<ReadableStore> look_at_sqlite_store(const std::filesystem::path& path,
                                                                  std::vector<sqlite::Migration> steps);

}  // namespace tenure::queue
