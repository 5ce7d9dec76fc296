#pragma once

#include "jobs.hpp"

#include <tenure/worker.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <utility>

// What docs/manual/testing.md tests: code that enqueues, and the handler, added to a registry by main and by tests alike.
namespace guide {

// To whom, and the key by which a service drops a second letter.
using Mail = std::function<void(const std::string& address, const std::string& key)>;

inline void add_invoice_jobs(tenure::JobRegistry& jobs, Mail mail) {
  jobs.add<SendInvoice>([mail = std::move(mail)](const SendInvoice& job, tenure::JobContext& context) {
    const tenure::Loaded<Invoice> invoice = context.locate(job.invoice);
    mail(invoice->address, context.idempotency_key());
    context.once("note", [&](tenure::JobTransaction& transaction) {
      transaction.execute("insert into letter (invoice, sent_us) values (?, ?)", job.invoice, context.now());
    });
  });
}

// Of the current tenant: the invoice and the job that sends it, as a rule after a day in which it can be taken back.
inline void bill(tenure::Client& client, const std::string& address,
                 std::chrono::microseconds wait = std::chrono::hours{24}) {
  tenure::HandleLease handle = client.tenants().open_current();
  client.transaction(*handle, [&](tenure::JobTransaction& transaction) {
    transaction.execute("insert into invoice (address, total_cents) values (?, 1990)", address);
    const auto invoice = transaction.ref<Invoice>(transaction.last_insert_row());
    transaction.enqueue(SendInvoice{.invoice = invoice}, {.run_in = wait});
  });
}

}  // namespace guide
