#pragma once

#include <tenure/queue/store.hpp>

#include <memory>
#include <string>
#include <utility>

namespace tenure::testing {

// Passes everything on to another store, which outlives it: for tests that change or watch a call.
class ForwardingStore : public queue::Store {
 public:
  explicit ForwardingStore(queue::Store& store) : store_(store) {}

  void write(queue::Durability durability, FunctionRef<void(queue::StoreWriter&)> work) override {
    store_.write(durability, work);
  }
  void read(FunctionRef<void(queue::JobReader&)> work) override { store_.read(work); }
  void sync() override { store_.sync(); }
  Result<std::string> outbox_row(const queue::NewJob& job) override { return store_.outbox_row(job); }
  std::int64_t change_counter() override { return store_.change_counter(); }
  void checkpoint(std::int64_t wal_bytes_min) override { store_.checkpoint(wal_bytes_min); }
  bool tidy() override { return store_.tidy(); }
  TenantRegistry& registry() override { return store_.registry(); }
  std::unique_ptr<TenantRegistry> audited_registry(queue::AuditEntry entry, const Clock& clock) override {
    return store_.audited_registry(std::move(entry), clock);
  }

 private:
  queue::Store& store_;
};

}  // namespace tenure::testing
