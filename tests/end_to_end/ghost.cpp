#include "jobs.hpp"

#include <tenure/client.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>
#include <utility>

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

constexpr int kBeforeStop = 3;
constexpr int kMost = 100'000;
constexpr int kTriesBehindRefusal = 2;

// Of others that write, or wait for it.
bool is_of_a_moment(tenure::ErrorCode code) { return code == tenure::ErrorCode::tenant_busy; }

// False where it was refused.
bool write_numbered(tenure::HandleLease& lease, const std::string& name, int number, bool stops_inside) {
  const std::string row = name + "-" + std::to_string(number);
  try {
    lease->write([&](tenure::TenantTransaction& transaction) {
      transaction.execute("insert into run(name) values (?)", row);
      if (stops_inside) ::raise(SIGSTOP);
    });
    std::printf("ok %s\n", row.c_str());
  } catch (const tenure::Error& error) {
    std::printf("refused %s %s\n", std::string{tenure::name_of(error.code())}.c_str(), row.c_str());
    std::fflush(stdout);
    return is_of_a_moment(error.code());
  }
  std::fflush(stdout);
  return true;
}

// Writes a row in each transaction, says which of them are committed, and stops: "between" two of them, "inside" one, or not at all
// ("free"). Then it goes on by the same handle until it is refused, and tries again.
void write_until_refused(tenure::Client& client, const std::string& name, const std::string& how) {
  tenure::HandleLease lease = client.tenants().open_current();
  int number = 1;
  for (; number <= kBeforeStop; ++number) write_numbered(lease, name, number, false);
  if (how == "between") ::raise(SIGSTOP);
  bool stops_inside = how == "inside";
  while (number < kMost && write_numbered(lease, name, number++, std::exchange(stops_inside, false)))
    continue;
  for (int again = 0; again < kTriesBehindRefusal; ++again) write_numbered(lease, name, number++, false);
  attempt("outbox", [&] {
    client.transaction(*lease, [&](tenure::JobTransaction& transaction) {
      transaction.enqueue(tenure::testing::Count{name});
    });
  });
}

}  // namespace

// ghost CONFIG: an application that has written to acme, is stopped with its handle open, and goes on when others have deleted the tenant
// and made it again. ghost CONFIG TENANT NAME HOW: one that writes rows of that name until it is refused.
int main(int argc, char** argv) {
  using namespace tenure::testing;
  if (argc != 2 && argc != 5) return EXIT_FAILURE;
  tenure::Client client = tenure::Client::open(argv[1]);
  if (argc == 5) {
    tenure::with_tenant(argv[2], [&] { write_until_refused(client, argv[3], argv[4]); });
    return EXIT_SUCCESS;
  }
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
