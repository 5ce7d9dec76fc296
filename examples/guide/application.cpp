#include "jobs.hpp"

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using guide::CloseMonth;
using guide::FetchRates;
using guide::Invoice;
using guide::Layout;
using guide::SendInvoice;

// A tenant's database outside jobs: the new record and its Global ID.
tenure::Ref<Invoice> add_invoice(tenure::Client& client, const std::string& address) {
  tenure::HandleLease handle = client.tenants().open_current();
  return handle->write([&](tenure::TenantTransaction& transaction) {
    transaction.execute("insert into invoice (address, total_cents) values (?, ?)", address, 1990);
    return transaction.ref<Invoice>(transaction.last_insert_row());
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

// The caller does not know whether its first try arrived: the same id is the same job.
void enqueue_once(tenure::Client& client, const std::string& tenant, const tenure::Uuid& id) {
  client.enqueue(CloseMonth{2026, 11}, {.id = id, .tenant = tenant});
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) return std::fputs("usage: guide TENANT\n", stderr), 2;
  const std::string tenant = argv[1];
  tenure::Client client = tenure::Client::open();
  enqueue_in_scope(client, tenant);
  enqueue_with_options(client, tenant);
  enqueue_once(client, tenant, tenure::uuids_of_process().next(tenure::RealClock{}.wall()));
  return enqueue_many(client, tenant) == 0 ? 0 : 1;
} catch (const tenure::TenantDoesNotExist& error) {
  std::fprintf(stderr, "guide: %s\n", error.what());
  return 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "guide: %s\n", error.what());
  return 1;
}
