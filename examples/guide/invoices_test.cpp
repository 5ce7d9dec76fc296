#include "invoices.hpp"

#include <tenure/testing/job_test.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

// The tests of docs/manual/testing.md, which quotes this file.
namespace {

using namespace std::chrono_literals;
using guide::SendInvoice;

class Invoices : public tenure::testing::JobTest {
 protected:
  Invoices() : JobTest({.application = "guide", .migrations = tenure::read_migrations(GUIDE_MIGRATIONS)}) {
    guide::add_invoice_jobs(jobs(), [this](const std::string& address, const std::string&) {
      if (mail_is_down) throw std::runtime_error("no route to host");
      letters.push_back(address);
    });
  }

  tenure::Ref<guide::Invoice> first_invoice() {
    return tenants().open_current()->read(
        [](tenure::TenantReader& reader) { return reader.ref<guide::Invoice>(1); });
  }

  bool mail_is_down = false;
  std::vector<std::string> letters;
};

TEST_F(Invoices, AreSentAfterADay) {
  guide::bill(client(), "ada@example.org");
  EXPECT_TRUE(enqueued<SendInvoice>({.queue = "mail", .due_in = 24h, .times = 1}));

  EXPECT_EQ(advance(24h).succeeded(), 1U);

  EXPECT_EQ(letters, std::vector<std::string>{"ada@example.org"});
  EXPECT_FALSE(enqueued<SendInvoice>());
}

TEST_F(Invoices, AreSentAgainWhenTheMailWasDown) {
  mail_is_down = true;
  guide::bill(client(), "ada@example.org");
  EXPECT_EQ(advance(24h).failed(), 1U);
  mail_is_down = false;
  EXPECT_EQ(advance(1min).succeeded(), 1U);  // by production's rule of retries
  EXPECT_EQ(letters.size(), 1U);
}

TEST_F(Invoices, StayWithTheirTenant) {
  with_tenants("acme", "bolt");
  tenure::with_tenant("acme", [&] { guide::bill(client(), "ada@example.org"); });
  EXPECT_TRUE(enqueued<SendInvoice>({.tenant = "acme"}));
  EXPECT_FALSE(enqueued<SendInvoice>({.tenant = "bolt"}));
  clock().advance(24h);  // performs nothing by itself
  EXPECT_EQ(drain({.tenants = {tenure::TenantName{"acme"}}}).succeeded(), 1U);
}

TEST_F(Invoices, AreNotedOnceThoughTheMachineDiesBehindTheLetter) {
  guide::bill(client(), "ada@example.org");
  faults().crash(tenure::testing::CrashPoint::before_finish_commit);
  advance(24h);
  EXPECT_EQ(letters.size(), 2U);  // the service drops the second one by its key
  const auto noted = tenants().open_current()->read([](tenure::TenantReader& reader) {
    auto rows = reader.query("select count(*) from letter");
    rows.next();
    return rows.row().integer(0);
  });
  EXPECT_EQ(noted, 1);
}

TEST_F(Invoices, AreSentOnceWhereverTheProcessDies) {
  guide::bill(client(), "ada@example.org");
  EXPECT_TRUE(crash_everywhere(SendInvoice{.invoice = first_invoice()}));
}

TEST_F(Invoices, OfAnOlderProgramAreStillRead) {
  guide::bill(client(), "ada@example.org");
  faults().older_payload("billing.mail_invoice",
                         R"({"invoice": {"$gid": "gid://guide/Invoice/1?tenant=test"}, "layout": 0})",
                         {.queue = "mail"});
  EXPECT_EQ(drain().succeeded(), 1U);
}

TEST_F(Invoices, AreSentWhileTheCallerWaits) {
  perform_inline();
  guide::bill(client(), "ada@example.org", 0s);
  EXPECT_EQ(letters.size(), 1U);
}

}  // namespace
