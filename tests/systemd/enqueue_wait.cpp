// An application: enqueues a job for tenant `acme` that waits until it is let go, or one that leaves a process behind which has a session of its
// own. usage: enqueue_wait CONFIG NAME [escapes]
#include <tenure/client.hpp>

#include <cstdio>
#include <end_to_end/jobs.hpp>
#include <exception>

int main(int argc, char** argv) try {
  if (argc != 3 && argc != 4) return std::fputs("usage: enqueue_wait CONFIG NAME [escapes]\n", stderr), 2;
  tenure::Client client = tenure::Client::open(argv[1]);
  const auto job = tenure::with_tenant("acme", [&] {
    return argc == 3 ? client.enqueue(tenure::testing::Wait{argv[2], false})
                     : client.enqueue(tenure::testing::Fork{argv[2], argv[3]});
  });
  std::puts(job.text().c_str());
} catch (const std::exception& error) {
  std::fprintf(stderr, "enqueue_wait: %s\n", error.what());
  return 1;
}
