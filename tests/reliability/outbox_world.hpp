#pragma once

#include "support/outboxes.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/jobs/client.hpp>
#include <tenure/queue/outbox_file.hpp>
#include <tenure/queue/sqlite_store.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/outbox.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <cereal/cereal.hpp>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// One application with one tenant over real files: its transaction pays an invoice and enqueues two jobs.
namespace tenure::testing {

struct AfterPayment {
  static constexpr std::string_view kind = "books.after_payment";
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

inline const TenantName kAcmeOfBooks{"acme"};
inline const queue::OutboxOwner kOwnerOfBooks{kAcmeOfBooks, Generation{1}};

// What one process has open.
class OutboxProcess {
 public:
  explicit OutboxProcess(const std::filesystem::path& folder)
      : store{queue::open_sqlite_store({.path = folder / "control.db", .create = true}, clock)},
        handles{TenantFiles{(folder / "tenants/%{tenant}.db").string()}, {}},
        tenants{store->registry(),
                handles,
                clock,
                {.application = "books",
                 .migrations = {{1, "0001_invoice.sql",
                                 "create table invoice (id integer primary key, paid integer)"}}}},
        client{*store, clock, {.application = "books"}} {}

  template <class Function>
  auto in_acme(Function&& function) {
    const TenantScope scope{kAcmeOfBooks};
    HandleLease lease = tenants.open_current();
    return function(*lease);
  }
  void make_tenant() {
    tenants.create(kAcmeOfBooks);
    in_acme([](TenantHandle& handle) {
      handle.write([](TenantTransaction& transaction) {
        transaction.execute("insert into invoice (id, paid) values (1, 0)");
      });
    });
  }
  // Both write-ahead logs have their heads, which SQLite syncs inside the first commit.
  void begin_logs() {
    store->write(Durability::durable, [&](queue::StoreWriter& writer) {
      static_cast<void>(writer.open_incarnation(1, "test", 1, clock.wall()));
    });
    in_acme([](TenantHandle& handle) {
      handle.write(
          [](TenantTransaction& transaction) { transaction.execute("update invoice set paid = 0"); });
    });
  }
  void pay() {
    in_acme([&](TenantHandle& handle) {
      client.transaction(handle, [](JobTransaction& transaction) {
        transaction.execute("update invoice set paid = paid + 1 where id = 1");
        for (int number = 1; number <= 2; ++number) transaction.enqueue(AfterPayment{number});
      });
    });
  }
  // The same by its steps A1 to A4, for tests that end it at one of them: nothing is relayed.
  void pay_without_relay(Durability of_mark = Durability::durable,
                         Durability of_commit = Durability::durable) {
    in_acme([&](TenantHandle& handle) {
      TenantTransaction transaction = handle.begin();
      mark(queue::outbox_state_of(transaction), of_mark);
      transaction.execute("update invoice set paid = paid + 1 where id = 1");
      for (int number = 1; number <= 2; ++number) {
        const queue::NewJob job{.id = {uuids_of_process().next(clock.wall())},
                                .tenant = kOwnerOfBooks.tenant,
                                .generation = kOwnerOfBooks.generation,
                                .queue = "default",
                                .kind = std::string{AfterPayment::kind},
                                .due = clock.wall(),
                                .attempts_max = 3,
                                .arguments = R"({"number":)" + std::to_string(number) + "}"};
        static_cast<void>(add_to_outbox(transaction, job.id.uuid, value_or_raise(store->outbox_row(job))));
      }
      if (of_commit == Durability::durable) transaction.commit();
      else transaction.commit_ordered();
    });
  }
  void mark(const queue::OutboxState& file, Durability durability) {
    store->write(durability, [&](queue::StoreWriter& writer) {
      static_cast<void>(value_or_raise(writer.mark_outbox(kOwnerOfBooks, file, clock.wall())));
    });
  }
  // As tenured: it looks only into files that are marked.
  void sweep() {
    const auto found = marks();
    if (found.empty()) return;
    in_acme([&](TenantHandle& handle) {
      EXPECT_FALSE(queue::sweep_file(*store, handle, found, clock).is_file_behind);
    });
  }
  void relay() {
    in_acme([&](TenantHandle& handle) { static_cast<void>(queue::relay_file(*store, handle, clock)); });
  }
  [[nodiscard]] std::vector<queue::OutboxMark> marks() { return marks_in(*store); }
  [[nodiscard]] queue::OutboxFront rows() {
    return in_acme([](TenantHandle& handle) {
      return handle.read([](TenantReader& reader) { return queue::read_outbox_front(reader); });
    });
  }
  [[nodiscard]] std::int64_t paid() {
    return in_acme([](TenantHandle& handle) {
      return handle.read([](TenantReader& reader) {
        auto rows = reader.query("select paid from invoice where id = 1");
        rows.next();
        return rows.row().integer(0);
      });
    });
  }
  // The jobs in their order, by their numbers.
  [[nodiscard]] std::vector<std::string> jobs() {
    std::vector<std::string> found;
    store->read([&](queue::JobReader& reader) {
      for (const auto& job : reader.list_jobs({}, {.order = queue::ListOrder::oldest_first}, {}).jobs)
        found.push_back(reader.envelope(job.seq).value());
    });
    for (std::string& envelope : found) envelope.erase(0, envelope.find('\n') + 1);
    return found;
  }

  VirtualClock clock;
  std::unique_ptr<queue::Store> store;
  HandleCache handles;
  Tenants tenants;
  Client client;
};

// What may be left by whatever has ended the processes.
enum class Remains : std::uint8_t { nothing, all };

// After a sweep: what the tenant's database says and the jobs are there together, once, or neither.
inline Remains expect_together(const std::filesystem::path& folder, bool is_acknowledged) {
  OutboxProcess daemon{folder};
  daemon.sweep();
  const std::vector<std::string> both{R"({"number":1})", R"({"number":2})"};
  const bool is_paid = daemon.paid() == 1;
  EXPECT_EQ(daemon.jobs(), is_paid ? both : std::vector<std::string>{});
  EXPECT_TRUE(is_paid || daemon.paid() == 0) << daemon.paid();
  EXPECT_TRUE(is_paid || !is_acknowledged) << "acknowledged, and gone";
  EXPECT_TRUE(daemon.rows().rows.rows.empty()) << "nobody knows of these rows";
  EXPECT_TRUE(daemon.marks().empty());
  return is_paid ? Remains::all : Remains::nothing;
}

}  // namespace tenure::testing
