#pragma once

#include <tenure/queue/store.hpp>

#include <memory>
#include <utility>

namespace tenure::testing::detail {

// A queue that passes all on to another one, which outlives it; those derived from it see to its commits.
class ForwardingStore : public queue::Store {
 public:
  explicit ForwardingStore(queue::Store& store) : store_(store) {}

  void read(FunctionRef<void(queue::JobReader&)> work) override { store_.read(work); }
  void write(queue::Durability durability, FunctionRef<void(queue::StoreWriter&)> work) override {
    store_.write(durability, work);
  }
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
};

}  // namespace tenure::testing::detail
