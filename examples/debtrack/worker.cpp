#include "handlers.hpp"

#include <tenure/worker.hpp>

// The worker program of debtrack. `tenured` starts as many of it as its pool says.
int main(int argc, char** argv) {
  tenure::JobRegistry jobs;
  debtrack::add_jobs(jobs);
  return tenure::worker_main(argc, argv, jobs, {.version = "debtrack 1"});
}
