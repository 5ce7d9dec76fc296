#include "jobs.hpp"

#include <tenure/worker.hpp>

int main(int argc, char** argv) {
  tenure::JobRegistry jobs;
  tenure::testing::add_jobs(jobs);
  return tenure::worker_main(argc, argv, jobs, {.version = "replay 1"});
}
