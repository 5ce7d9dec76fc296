#pragma once

#include <tenure/queue/store.hpp>

#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <utility>

namespace tenure::daemon {

// Passes everything on but can be told to fail, like a disk.
class FailingStore final : public queue::Store {
 public:
  explicit FailingStore(std::unique_ptr<queue::Store> store) : store_(std::move(store)) {}
  // Set before the store is used by another thread.
  std::optional<ErrorCode> write_fails_with;
  std::optional<ErrorCode> sync_fails_with;
  // Called at the beginning of each.
  std::function<void()> at_read = [] {};
  std::function<void()> at_write = [] {};
  std::latch synced{1};

  void write(queue::Durability durability, FunctionRef<void(queue::StoreWriter&)> work) override {
    at_write();
    if (write_fails_with) raise(*write_fails_with, "the disk is full");
    store_->write(durability, work);
  }
  void read(FunctionRef<void(queue::JobReader&)> work) override {
    at_read();
    store_->read(work);
  }
  void sync() override {
    if (sync_fails_with) raise(*sync_fails_with, "the disk is gone");
    store_->sync();
    synced.count_down();
  }
  Result<std::string> outbox_row(const queue::NewJob& job) override { return store_->outbox_row(job); }
  std::int64_t change_counter() override { return store_->change_counter(); }
  void checkpoint(std::int64_t wal_bytes_min) override { store_->checkpoint(wal_bytes_min); }
  bool tidy() override { return store_->tidy(); }
  TenantRegistry& registry() override { return store_->registry(); }
  std::unique_ptr<TenantRegistry> audited_registry(queue::AuditEntry entry, const Clock& clock) override {
    return store_->audited_registry(std::move(entry), clock);
  }

 private:
  std::unique_ptr<queue::Store> store_;
};

}  // namespace tenure::daemon
