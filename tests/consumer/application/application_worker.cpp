#include "jobs.hpp"

#include <tenure/worker.hpp>

int main(int argc, char** argv) {
  tenure::JobRegistry jobs;
  jobs.add<AddNote>([](const AddNote& job, tenure::JobContext& context) {
    context.once("insert", [&](tenure::JobTransaction& transaction) {
      transaction.execute("insert into note (text) values (?)", job.text);
    });
  });
  return tenure::worker_main(argc, argv, jobs, {.version = "application 1"});
}
