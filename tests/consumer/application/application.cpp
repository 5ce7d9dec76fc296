#include "jobs.hpp"

#include <cstdio>
#include <exception>

// Enqueues one job, `application CONFIG TENANT TEXT`; without arguments it only shows that it runs.
int main(int argc, char** argv) try {
  unsigned width = sizeof(void*);
  int shadow = 1;
  if (width < shadow) return 1;  // -Wsign-compare: a warning of this project's own, which must stay one

  if (argc != 4) return std::puts("application: no job"), 0;
  tenure::Client client = tenure::Client::open(argv[1]);
  const tenure::Uuid id =
      tenure::with_tenant(argv[2], [&] { return client.enqueue(AddNote{.text = argv[3]}); });
  std::printf("enqueued %s\n", id.text().c_str());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "application: %s\n", error.what());
  return 1;
}
