#include "nothing_jobs.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/worker.hpp>

#include <cstdint>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

// The worker program of bench_daemon: its jobs do nothing, so that what is measured is the way to them and back.
namespace {

using namespace tenure::bench;

void tell_start(const TellStart& job, tenure::JobContext&) {
  const std::int64_t now_us = tenure::RealClock{}.steady().since_start.count();
  const int pipe = ::open(job.pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  const bool told = pipe >= 0 && ::write(pipe, &now_us, sizeof now_us) == static_cast<ssize_t>(sizeof now_us);
  if (pipe >= 0) ::close(pipe);
  if (!told) throw std::runtime_error("nobody listens on " + job.pipe);
}

}  // namespace

int main(int argc, char** argv) {
  tenure::JobRegistry jobs;
  jobs.add<Nothing>([](const Nothing&, tenure::JobContext&) {});
  jobs.add<TellStart>(tell_start);
  return tenure::worker_main(argc, argv, jobs, {.version = "bench 1"});
}
