// An application: enqueues a job that waits until it is let go, for tenant `acme`. usage: enqueue_wait CONFIG NAME
#include <tenure/client.hpp>

#include <cstdio>
#include <end_to_end/jobs.hpp>
#include <exception>

int main(int argc, char** argv) try {
  if (argc != 3) return std::fputs("usage: enqueue_wait CONFIG NAME\n", stderr), 2;
  tenure::Client client = tenure::Client::open(argv[1]);
  const auto job = tenure::with_tenant("acme", [&] {
    return client.enqueue(tenure::testing::Wait{argv[2], false});
  });
  std::puts(job.text().c_str());
} catch (const std::exception& error) {
  std::fprintf(stderr, "enqueue_wait: %s\n", error.what());
  return 1;
}
