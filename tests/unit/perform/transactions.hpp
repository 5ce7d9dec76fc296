#pragma once

#include "bookkeeping.hpp"
#include "support/outboxes.hpp"

#include <tenure/queue/outbox_file.hpp>

#include <cereal/types/string.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

// Jobs that an application enqueues in transactions of acme.
namespace tenure::testing {

struct Remind {
  static constexpr std::string_view kind = "books.remind";
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

struct Write {
  static constexpr std::string_view kind = "books.write";
  std::string text;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text));
  }
};

// Asks before each write, which may throw.
class AskingStore final : public queue::Store {
 public:
  explicit AskingStore(queue::Store& store) : store_(store) {}
  std::function<void()> before_write;

  void write(queue::Durability durability, FunctionRef<void(queue::StoreWriter&)> work) override {
    if (before_write) before_write();
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

class Transactions : public Bookkeeping {
 protected:
  static void pay(JobTransaction& transaction) {
    transaction.execute("update invoice set paid = paid + 1 where id = 1");
  }
  Ref<Invoice> invoice_of_bolt() {
    return without_tenant([&] { return invoice_of("bolt"); });
  }
  std::vector<queue::JobRecord> jobs_there() { return jobs_in(*store_); }
  std::vector<Uuid> ids_there() {
    std::vector<Uuid> ids;
    for (const queue::JobRecord& job : jobs_there()) ids.push_back(job.id.uuid);
    return ids;
  }
  queue::JobRecord record(const Uuid& id) {
    std::optional<queue::JobRecord> record;
    store_->read([&](queue::JobReader& reader) { record = reader.find_job({id}); });
    if (!record) throw std::runtime_error("no such job");
    return *record;
  }
  std::vector<queue::OutboxMark> marks() { return marks_in(*store_); }
  queue::RelayedFile relay() {
    HandleLease other = tenants_.open_current();
    return queue::relay_file(*store_, *other, clock_);
  }
  queue::RelayedFile sweep() {
    HandleLease other = tenants_.open_current();
    return queue::sweep_file(*store_, *other, marks(), clock_);
  }
  std::size_t rows_left() {
    return tenants_.open_current()->read(
        [](TenantReader& reader) { return queue::read_outbox_front(reader).rows.rows.size(); });
  }
  // What `function` throws, as its failure; the code of success is none.
  static std::optional<Failure> failure_of(const std::function<void()>& function) {
    try {
      function();
    } catch (const Error& error) {
      return error.failure();
    }
    return std::nullopt;
  }
  static std::optional<ErrorCode> code_of(const std::function<void()>& function) {
    const auto failure = failure_of(function);
    return failure ? std::optional{failure->code} : std::nullopt;
  }

  AskingStore asking_{*store_};
  Client over_asking_{asking_, clock_, {.application = "books"}};
  TenantScope scope_{TenantName{"acme"}};
  HandleLease lease_ = tenants_.open_current();
};

}  // namespace tenure::testing
