#include "notes.hpp"

#include <cstdio>
#include <exception>
#include <string_view>

// In the application: the job belongs to the tenant whose scope it is enqueued in.
void enqueue_note(const char* tenant, const char* text) {
  tenure::Client client = tenure::Client::open("tenure.toml");
  tenure::with_tenant(tenant, [&] { client.enqueue(AddNote{text}); });
}

// The worker program.
int work(int argc, char** argv) {
  tenure::JobRegistry jobs;
  add_note_jobs(jobs);
  return tenure::worker_main(argc, argv, jobs);
}

int main(int argc, char** argv) try {
  if (argc > 1 && std::string_view{argv[1]} == "add") {
    if (argc != 4) return std::fputs("usage: notes add TENANT TEXT\n", stderr), 2;
    enqueue_note(argv[2], argv[3]);
    return 0;
  }
  return work(argc, argv);
} catch (const std::exception& error) {
  std::fprintf(stderr, "notes: %s\n", error.what());
  return 1;
}
