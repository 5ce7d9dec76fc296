#include "jobs.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using guide::CloseMonth;
using guide::FetchRates;
using guide::Invoice;
using guide::Layout;
using guide::SendInvoice;

// A customer has come: when this returns the database is there, with its tables, and takes jobs.
void add_tenant(tenure::Client& client, const std::string& name) {
  client.tenants().create(tenure::TenantName{name});
}

void for_each_tenant(tenure::Client& client, const std::function<void(const tenure::TenantRecord&)>& visit) {
  constexpr std::size_t kPage = 100;
  std::optional<tenure::TenantName> last;
  for (std::size_t found = kPage; found == kPage;) {
    const std::vector<tenure::TenantRecord> page = client.tenants().registry().list(last, kPage);
    for (const tenure::TenantRecord& tenant : page) visit(tenant);
    found = page.size();
    if (found > 0) last = page.back().name;
  }
}

// A tenant's database outside jobs: the new record and its Global ID.
tenure::Ref<Invoice> add_invoice(tenure::Client& client, const std::string& address) {
  tenure::HandleLease handle = client.tenants().open_current();
  return handle->write([&](tenure::TenantTransaction& transaction) {
    transaction.execute("insert into invoice (address, total_cents) values (?, ?)", address, 1990);
    return transaction.ref<Invoice>(transaction.last_insert_row());
  });
}

// The invoice and the job that sends it are there together, or neither is.
tenure::Uuid add_and_send(tenure::Client& client, const std::string& address) {
  tenure::HandleLease handle = client.tenants().open_current();
  return client.transaction(*handle, [&](tenure::JobTransaction& transaction) {
    transaction.execute("insert into invoice (address, total_cents) values (?, ?)", address, 1990);
    const auto invoice = transaction.ref<Invoice>(transaction.last_insert_row());
    return transaction.enqueue(SendInvoice{.invoice = invoice});
  });
}

void enqueue_in_scope(tenure::Client& client, const std::string& tenant) {
  tenure::with_tenant(tenant, [&] {
    const tenure::Ref<Invoice> invoice = add_invoice(client, "ada@example.org");
    client.enqueue(SendInvoice{.invoice = invoice, .layout = Layout::letterhead});
  });
}

void enqueue_with_options(tenure::Client& client, const std::string& tenant) {
  client.enqueue(CloseMonth{2026, 11}, {.tenant = tenant});
  client.enqueue(CloseMonth{2026, 12}, {.run_in = 2h, .tenant = tenant});
  client.enqueue(CloseMonth{2027, 1}, {.run_at = std::chrono::sys_days{2027y / 2 / 1}, .tenant = tenant});
  client.enqueue(CloseMonth{2026, 10},
                 {.queue = "urgent", .priority = -10, .attempts_max = 1, .tenant = tenant});
  client.enqueue(FetchRates{}, {.untenanted = true});
}

std::size_t enqueue_many(tenure::Client& client, const std::string& tenant) {
  const std::vector<CloseMonth> months{{2026, 7}, {2026, 8}, {2026, 9}};
  std::size_t refused = 0;
  for (const tenure::BulkItem& item : client.enqueue_all(months, {.tenant = tenant}))
    if (item.failure) ++refused;
  return refused;
}

// Kept beside the order that the job is for, before the first try.
tenure::Uuid new_job_id() { return tenure::uuids_of_process().next(tenure::RealClock{}.wall()); }

// The caller does not know whether its first try arrived: the same id is the same job.
void enqueue_once(tenure::Client& client, const std::string& tenant, const tenure::Uuid& id) {
  client.enqueue(CloseMonth{2026, 11}, {.id = id, .tenant = tenant});
}

}  // namespace

int main(int argc, char** argv) try {
  const std::string option = argc > 1 ? argv[1] : "";
  const bool is_new = option == "--new";
  if (argc != (is_new ? 3 : 2)) return std::fputs("usage: guide TENANT | --new TENANT | --list\n", stderr), 2;
  tenure::Client client = tenure::Client::open();
  if (option == "--list")
    return for_each_tenant(client, [](const auto& tenant) { std::puts(tenant.name.text().c_str()); }), 0;
  const std::string tenant = argv[argc - 1];
  if (is_new) add_tenant(client, tenant);
  enqueue_in_scope(client, tenant);
  tenure::with_tenant(tenant, [&] { add_and_send(client, "charles@example.org"); });
  enqueue_with_options(client, tenant);
  enqueue_once(client, tenant, new_job_id());
  return enqueue_many(client, tenant) == 0 ? 0 : 1;
} catch (const tenure::TenantDoesNotExist& error) {
  std::fprintf(stderr, "guide: %s\n", error.what());
  return 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "guide: %s\n", error.what());
  return 1;
}
