#include "jobs.hpp"

#include <tenure/worker.hpp>

// The worker program of the exports.
int main(int argc, char** argv) {
  tenure::JobRegistry jobs;
  jobs.add<exports::MakeExport>([](const exports::MakeExport& job, tenure::JobContext& context) {
    context.log(tenure::log::Level::info, "exporting " + job.what);
    return exports::ExportMade{.file = context.id().text() + ".csv", .rows = 3};
  });
  return tenure::worker_main(argc, argv, jobs);
}
