#include <tenure/base/clock.hpp>
#include <tenure/client.hpp>
#include <tenure/queue/outbox_file.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

// outbox_relayer CONFIG CONTROL_DATABASE: relays the outbox of acme, and stops itself by SIGSTOP when it has read the rows and has not yet
// inserted them. When it goes on it writes how many were new.
int main(int argc, char** argv) {
  using namespace tenure;
  if (argc != 3) return EXIT_FAILURE;
  Client client = Client::open(argv[1]);
  const RealClock clock;
  const auto store = queue::open_sqlite_store({.path = argv[2]}, clock);
  with_tenant("acme", [&] {
    HandleLease lease = client.tenants().open_current();
    const queue::RelayedFile relayed =
        queue::relay_file(*store, *lease, clock, {.on_step = [](queue::RelayStep step) {
          if (step == queue::RelayStep::take_over) static_cast<void>(::raise(SIGSTOP));
        }});
    std::printf("inserted %lld existed %lld\n", static_cast<long long>(relayed.inserted),
                static_cast<long long>(relayed.existed));
  });
  return EXIT_SUCCESS;
}
