#include "jobs.hpp"
#include "support/shim_vfs.hpp"

#include <tenure/client.hpp>

#include <csignal>
#include <cstdlib>
#include <string>
#include <unistd.h>

// outbox_writer CONFIG COUNT: an application that enqueues COUNT jobs in one transaction of acme and is killed when that has committed,
// at the first byte that it would write to the control database.
int main(int argc, char** argv) {
  using namespace tenure::testing;
  if (argc != 3) return EXIT_FAILURE;
  bool is_committing = false;
  const ShimVfs disk{[&](const ShimVfs::Event& event) {
    if (is_committing && event.call == ShimVfs::Call::write &&
        event.path.find("/control.db") != std::string_view::npos)
      ::kill(::getpid(), SIGKILL);
    return 0;
  }};
  tenure::Client client = tenure::Client::open(argv[1]);
  tenure::with_tenant("acme", [&] {
    tenure::HandleLease lease = client.tenants().open_current();
    client.transaction(*lease, [&](tenure::JobTransaction& transaction) {
      for (int each = 0; each < std::atoi(argv[2]); ++each)
        transaction.enqueue(Count{"left-" + std::to_string(each)});
      is_committing = true;
    });
  });
  return EXIT_SUCCESS;
}
