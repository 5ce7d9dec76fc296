#include "jobs.hpp"

#include <tenure/base/log.hpp>
#include <tenure/worker.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using guide::CloseMonth;
using guide::FetchRates;
using guide::Invoice;
using guide::SendInvoice;

// Stands for a service that drops a second letter with the same key.
void mail(const std::string& address, const std::string& text, const std::string& key) {
  std::printf("to %s: %s (%s)\n", address.c_str(), text.c_str(), key.c_str());
}

void send_invoice(const SendInvoice& job, tenure::JobContext& context) {
  const tenure::Loaded<Invoice> invoice = context.locate(job.invoice);
  const std::string text = std::to_string(invoice->total_cents) + " cents";
  const std::string& key = context.idempotency_key();
  context.recorded("mail", [&] { mail(invoice->address, text, key); });
  context.once("note", [&](tenure::JobTransaction& transaction) {
    transaction.execute("insert into letter (invoice, sent_us) values (?, ?)", job.invoice, context.now());
  });
}

std::vector<std::int64_t> open_invoices(tenure::JobContext& context) {
  return context.read([](tenure::TenantReader& reader) {
    std::vector<std::int64_t> ids;
    for (const tenure::TenantRow& row : reader.query("select id from invoice where not closed"))
      ids.push_back(row.integer(0));
    return ids;
  });
}

// Stands for a call that takes its time.
void fetch_rate(const std::string& currency) { std::printf("the rate of %s\n", currency.c_str()); }

void fetch_rates(const FetchRates&, tenure::JobContext& context) {
  const std::vector<std::string> currencies{"CHF", "JPY", "USD"};
  const std::string last = context.cursor();
  std::int64_t done = 0;
  for (const std::string& currency : currencies) {
    ++done;
    if (currency <= last) continue;  // an earlier run has fetched it
    try {
      fetch_rate(currency);
      context.progress(done, std::ssize(currencies), currency);
      context.checkpoint(currency);
    } catch (const std::exception& error) {
      if (context.stop_token().stop_requested()) throw;  // this run is to end
      tenure::log::write(tenure::log::Level::warning, "rates.left_out", currency, {.error = error.what()});
    }
  }
}

void close_month(const CloseMonth& job, tenure::JobContext& context) {
  if (job.month < 1 || job.month > 12)
    tenure::raise(tenure::ErrorCode::bad_payload, "there is no month " + std::to_string(job.month));
  for (const std::int64_t id : open_invoices(context)) {
    if (context.stop_token().stop_requested()) throw std::runtime_error("stopped; goes on in the next run");
    context.once("close " + std::to_string(id), [&](tenure::JobTransaction& transaction) {
      transaction.execute("update invoice set closed = 1 where id = ?", id);
    });
  }
  context.write([](tenure::TenantTransaction& transaction) { transaction.execute("delete from draft"); });
  if (job.month != 12) return;
  context.once("open the next year", [&](tenure::JobTransaction& transaction) {
    transaction.execute("delete from draft");
    transaction.enqueue(CloseMonth{job.year + 1, 1});
  });
}

}  // namespace

int main(int argc, char** argv) {
  tenure::JobRegistry jobs;
  jobs.add<SendInvoice>(send_invoice);
  jobs.add<CloseMonth>(close_month);
  jobs.add<FetchRates>([](const FetchRates& job, tenure::JobContext& context) {
    if (context.attempt() == context.attempts_max())
      tenure::log::write(tenure::log::Level::warning, "rates.last_attempt", "the next failure is the end");
    fetch_rates(job, context);
  });
  return tenure::worker_main(argc, argv, jobs, {.version = "guide 1"});
}
