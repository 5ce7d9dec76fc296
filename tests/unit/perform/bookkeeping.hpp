#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/jobs/client.hpp>
#include <tenure/jobs/perform.hpp>
#include <tenure/jobs/reference.hpp>
#include <tenure/queue/memory_store.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/ref.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <cereal/cereal.hpp>
#include <cereal/types/vector.hpp>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <support/temporary_folder.hpp>
#include <vector>

// A small application with two tenants, acme and bolt, over a memory store.
namespace tenure::testing {

struct Invoice {
  std::int64_t id = 0;
  std::int64_t paid = 0;
};

struct PayInvoice {
  static constexpr std::string_view kind = "books.pay_invoice";
  Ref<Invoice> invoice;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(invoice));
  }
};

struct PayAll {
  static constexpr std::string_view kind = "books.pay_all";
  static JobOptions options() { return {.queue = "slow", .priority = 7, .attempts_max = 2}; }
  std::vector<PayInvoice> invoices;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(invoices));
  }
};

}  // namespace tenure::testing

template <>
struct tenure::Model<tenure::testing::Invoice> {
  static constexpr std::string_view name = "Invoice";
  static std::optional<testing::Invoice> load(TenantReader& reader, std::string_view id) {
    auto rows = reader.query("select id, paid from invoice where id = ?", id);
    if (!rows.next()) return std::nullopt;
    return testing::Invoice{rows.row().integer(0), rows.row().integer(1)};
  }
};

namespace tenure::testing {

class Bookkeeping : public ::testing::Test {
 protected:
  Bookkeeping() {
    for (const char* name : {"acme", "bolt"}) {
      tenants_.create(TenantName{name});
      with_tenant(name, [&] {
        tenants_.open(TenantName{name})->write([](TenantTransaction& transaction) {
          transaction.execute("insert into invoice (id, paid) values (1, 0)");
        });
      });
    }
  }

  Ref<Invoice> invoice_of(std::string_view tenant, std::int64_t id = 1) {
    return with_tenant(tenant, [&] {
      return tenants_.open_current()->read([&](TenantReader& reader) { return reader.ref<Invoice>(id); });
    });
  }

  std::int64_t paid(std::string_view tenant) {
    return with_tenant(tenant, [&] {
      return tenants_.open_current()->read([](TenantReader& reader) {
        auto rows = reader.query("select paid from invoice where id = 1");
        rows.next();
        return rows.row().integer(0);
      });
    });
  }

  // Claims the oldest job of a lane, as a dispatcher would. Its envelope can be tampered with before it is performed.
  queue::ClaimedJob claim() {
    std::optional<queue::ClaimedJob> claimed;
    store_->write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
      if (incarnation_.value == 0) incarnation_ = writer.open_incarnation(1, "test", 1, clock_.wall());
      const auto lanes = writer.reader().lanes(std::nullopt, 1);
      if (lanes.empty()) return;
      const queue::Lane& lane = lanes.front();
      auto reply = writer.claim({.queue = lane.queue,
                                 .priority = lane.priority,
                                 .tenant = lane.tenant,
                                 .kinds = {{lane.kind, std::nullopt}},
                                 .count = 1,
                                 .incarnation = incarnation_,
                                 .first_counter = ++counter_,
                                 .process = queue::ProcessNumber{1}},
                                clock_.wall());
      if (!reply.jobs.empty()) claimed = std::move(reply.jobs.front());
    });
    if (!claimed) throw std::runtime_error("nothing to claim");
    return *claimed;
  }

  // Nothing: it succeeded.
  std::optional<queue::AttemptFailure> perform(const queue::ClaimedJob& job,
                                               const queue::StopSignal& stop = {},
                                               std::chrono::microseconds time_limit = {}) {
    return perform_by(performer_, job, stop, time_limit);
  }
  static std::optional<queue::AttemptFailure> perform_by(Performer& performer, const queue::ClaimedJob& job,
                                                         const queue::StopSignal& stop,
                                                         std::chrono::microseconds time_limit = {}) {
    queue::RunNotes notes{{job.seq, job.token}};
    return perform_by(performer, job, stop, time_limit, notes);
  }
  static std::optional<queue::AttemptFailure> perform_by(Performer& performer, const queue::ClaimedJob& job,
                                                         const queue::StopSignal& stop,
                                                         std::chrono::microseconds time_limit,
                                                         queue::RunNotes& notes) {
    const queue::AttemptEnd end = end_of(performer, job, stop, notes, time_limit);
    if (end.result == queue::RunResult::succeeded) return std::nullopt;
    return end.failure;
  }
  static queue::AttemptEnd end_of(Performer& performer, const queue::ClaimedJob& job,
                                  const queue::StopSignal& stop, queue::RunNotes& notes,
                                  std::chrono::microseconds time_limit = {}) {
    queue::AttemptEnd end = performer.perform({.claim = {job.seq, job.token},
                                               .id = job.id,
                                               .tenant = job.tenant,
                                               .generation = job.generation,
                                               .kind = job.kind,
                                               .envelope = job.envelope,
                                               .cursor = job.cursor,
                                               .attempt = job.failures + 1,
                                               .attempts_max = job.attempts_max,
                                               .time_limit = time_limit,
                                               .start_before = job.start_before,
                                               .queue = job.queue,
                                               .created = job.created},
                                              stop, notes);
    EXPECT_EQ(end.claim, (queue::ClaimRef{job.seq, job.token}));
    return end;
  }

  TemporaryFolder folder_;
  VirtualClock clock_;
  std::unique_ptr<queue::Store> store_ = queue::make_memory_store();
  HandleCache handles_{TenantFiles{(folder_.path() / "tenants/%{tenant}.db").string()},
                       {.wait_max = std::chrono::milliseconds{0}}};
  Tenants tenants_{store_->registry(),
                   handles_,
                   clock_,
                   {.application = "books",
                    .migrations = {{1, "0001_invoice.sql",
                                    "create table invoice (id integer primary key, paid integer)"}}}};
  Client client_{*store_, clock_, {.application = "books"}};
  JobRegistry jobs_;
  Performer performer_{jobs_, handles_, clock_, {.application = "books"}};
  queue::Incarnation incarnation_;
  std::int64_t counter_ = 0;
};

}  // namespace tenure::testing
