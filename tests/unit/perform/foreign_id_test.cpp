#include "bookkeeping.hpp"

#include <tenure/tenancy/global_id.hpp>

// What a call inside a tenant says of ids: of another tenant's always the same, whether there is anything behind them or not.
namespace tenure::testing {
namespace {

class ForeignIds : public Bookkeeping {
 protected:
  void add_invoice(std::string_view tenant, std::int64_t id) {
    with_tenant(tenant, [&] {
      tenants_.open_current()->write([&](TenantTransaction& transaction) {
        transaction.execute("insert into invoice (id, paid) values (?, 0)", id);
      });
    });
  }
  template <class Call>
  static std::string answer_of(Call&& call) {
    try {
      call();
      return "done";
    } catch (const Error& error) {
      return error.what();
    }
  }
  // Of the handler of a job of acme that locates what its arguments name.
  std::string answer_of_locate(const Ref<Invoice>& invoice) {
    return answer_of([&] {
      with_tenant("acme", [&] {
        tenants_.open_current()->read(
            [&](TenantReader& reader) { static_cast<void>(locate(reader, invoice)); });
      });
    });
  }
  std::string answer_of_enqueue(const Ref<Invoice>& invoice) {
    return answer_of([&] { with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice}); }); });
  }
  std::string answer_of_job(std::string_view from, std::string_view to) {
    jobs_ = JobRegistry{};
    jobs_.add<PayInvoice>(
        [](const PayInvoice& job, JobContext& context) { static_cast<void>(context.locate(job.invoice)); });
    with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
    queue::ClaimedJob job = claim();
    job.envelope.replace(job.envelope.find(from), from.size(), to);
    const auto outcome = perform(job);
    return outcome ? std::string(name_of(outcome->code)) + ": " + outcome->error : "done";
  }
};

TEST_F(ForeignIds, SEC_13_WhatAnotherTenantHasDoesNotShow) {
  const auto foreign = invoice_of("bolt", 7);  // made from a handle of bolt, which has no such record yet
  const auto answers = [&] {
    return std::vector{answer_of_locate(foreign), answer_of_enqueue(foreign),
                       answer_of_job("Invoice/1?tenant=acme", "Invoice/7?tenant=bolt")};
  };
  const auto without = answers();
  EXPECT_TRUE(without[0].starts_with("WrongTenant: ")) << without[0];
  add_invoice("bolt", 7);
  EXPECT_EQ(answers(), without) << "the record is there";
  handles_.close_idle();
  std::filesystem::rename(folder_.path() / "tenants/bolt.db", folder_.path() / "tenants/away.db");
  EXPECT_EQ(answers(), without) << "its file is away";
}

TEST_F(ForeignIds, SEC_13_AnIdThatOnlyAnotherTenantHasIsAnUnknownOne) {
  const auto unknown = invoice_of("acme", 7);
  const std::string without = answer_of_locate(unknown);
  EXPECT_TRUE(without.starts_with("RecordNotFound: ")) << without;
  add_invoice("bolt", 7);
  EXPECT_EQ(answer_of_locate(unknown), without);
}

// Ids of jobs are unique in a control database: one that is taken is refused alike, whosever it is.
TEST_F(ForeignIds, SEC_13_AJobsIdThatIsTakenDoesNotShowByWhom) {
  const auto enqueue = [&](std::string_view tenant, int jobs, const Uuid& id) {
    return answer_of([&] {
      const PayAll job{
          std::vector<PayInvoice>(static_cast<std::size_t>(jobs), PayInvoice{invoice_of(tenant)})};
      with_tenant(tenant, [&] { client_.enqueue(job, {.id = id}); });
    });
  };
  const auto id = *Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7a01");
  const auto other = *Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7a02");
  ASSERT_EQ(enqueue("acme", 1, id), "done");
  ASSERT_EQ(enqueue("bolt", 1, other), "done");
  std::string of_own = enqueue("acme", 2, id);
  std::string of_foreign = enqueue("acme", 1, other);
  EXPECT_TRUE(of_own.starts_with("IdConflict: ")) << of_own;
  of_own.replace(of_own.find(id.text()), 36, "ID");
  of_foreign.replace(of_foreign.find(other.text()), 36, "ID");
  EXPECT_EQ(of_own, of_foreign);
}

}  // namespace
}  // namespace tenure::testing
