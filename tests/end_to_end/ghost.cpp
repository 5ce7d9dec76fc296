#include "jobs.hpp"

#include <tenure/client.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

namespace {

// By what it was refused.
template <class Work>
void attempt(const char* what, const Work& work) {
  try {
    work();
    std::printf("%s: committed\n", what);
  } catch (const tenure::Error& error) {
    std::printf("%s: %s\n", what, std::string{tenure::name_of(error.failure().code)}.c_str());
  }
  std::fflush(stdout);
}

void write_row(tenure::HandleLease& lease, const char* name) {
  lease->write([&](tenure::TenantTransaction& transaction) {
    transaction.execute("insert into run(name) values (?)", name);
  });
}

}  // namespace

// ghost CONFIG: an application that has written to acme, is stopped with its handle open, and goes on when others have deleted the tenant
// and made it again.
int main(int argc, char** argv) {
  using namespace tenure::testing;
  if (argc != 2) return EXIT_FAILURE;
  tenure::Client client = tenure::Client::open(argv[1]);
  tenure::with_tenant("acme", [&] {
    tenure::HandleLease lease = client.tenants().open_current();
    attempt("before", [&] { write_row(lease, "before"); });
    ::raise(SIGSTOP);
    attempt("write", [&] { write_row(lease, "after"); });
    attempt("outbox", [&] {
      client.transaction(*lease,
                         [&](tenure::JobTransaction& transaction) { transaction.enqueue(Count{"after"}); });
    });
  });
  return EXIT_SUCCESS;
}
