#pragma once

#include <tenure/queue/store.hpp>

#include <memory>
#include <utility>

namespace tenure::testing::detail {

// A queue of which every commit is undone: shows what one would do.
class UndoneStore final : public queue::Store {
 public:
  // `store` outlives it.
  explicit UndoneStore(queue::Store& store) : store_(store) {}

  void read(FunctionRef<void(queue::JobReader&)> work) override { store_.read(work); }
  void write(queue::Durability durability, FunctionRef<void(queue::StoreWriter&)> work) override {
    struct Undone {};
    try {
      store_.write(durability, [&](queue::StoreWriter& writer) {
        work(writer);
        throw Undone{};
      });
    } catch (const Undone&) {  // as it is meant
    }
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
