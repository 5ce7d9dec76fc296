#pragma once

#include "fault_list.hpp"

#include <tenure/queue/store.hpp>

#include <functional>
#include <memory>
#include <utility>

// The queue as applications and handlers have it: what they write is noticed, and may meet a full disk.
namespace tenure::testing::detail {

class WatchedStore final : public queue::Store {
 public:
  // All outlive it. `on_written` is called behind each commit, by the thread that made it.
  WatchedStore(queue::Store& store, const FaultList& faults, std::function<void()> on_written)
      : store_(store), faults_(faults), on_written_(std::move(on_written)) {}

  void read(FunctionRef<void(queue::JobReader&)> work) override { store_.read(work); }
  void write(queue::Durability durability, FunctionRef<void(queue::StoreWriter&)> work) override;
  void sync() override { store_.sync(); }
  [[nodiscard]] Result<std::string> outbox_row(const queue::NewJob& job) override {
    return store_.outbox_row(job);
  }
  [[nodiscard]] std::int64_t change_counter() override { return store_.change_counter(); }
  void checkpoint(std::int64_t wal_bytes_min) override { store_.checkpoint(wal_bytes_min); }
  bool tidy() override { return store_.tidy(); }
  [[nodiscard]] TenantRegistry& registry() override { return store_.registry(); }
  [[nodiscard]] std::unique_ptr<TenantRegistry> audited_registry(queue::AuditEntry entry,
                                                                 const Clock& clock) override {
    return store_.audited_registry(std::move(entry), clock);
  }

 private:
  queue::Store& store_;
  const FaultList& faults_;
  std::function<void()> on_written_;
};

}  // namespace tenure::testing::detail
