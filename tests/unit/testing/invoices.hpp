#pragma once

#include <tenure/testing/job_test.hpp>

#include <cereal/cereal.hpp>

#include <string>
#include <string_view>

// A small application: invoices that are sent, with a ledger.
namespace tenure::testing {

struct SendInvoice {
  static constexpr std::string_view kind = "billing.send_invoice";
  int invoice = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(invoice));
  }
};

struct Remind {
  static constexpr std::string_view kind = "billing.remind";
  static JobOptions options() { return {.queue = "mail"}; }
  int invoice = 0;
  std::string text;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(invoice), CEREAL_NVP(text));
  }
};

inline WorldOptions invoices_options() {
  return {.application = "shop",
          .migrations = {{1, "0001_invoice.sql",
                          "create table invoice (id integer primary key, sent_at integer, sent_times integer "
                          "not null default 0) strict;"
                          "create table ledger (id integer primary key autoincrement, invoice integer not "
                          "null, text text not null) strict;"
                          "create table note (text text) strict"}}};
}

// The default tenant has the invoices 7 and 8.
class Invoices : public JobTest {
 protected:
  Invoices() : JobTest(invoices_options()) {
    tenants().open_current()->write([](TenantTransaction& transaction) {
      transaction.execute("insert into invoice (id) values (7), (8)");
    });
  }
};

}  // namespace tenure::testing
