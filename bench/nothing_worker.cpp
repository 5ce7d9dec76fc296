#include "nothing_jobs.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/worker.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>

// The worker program of what starts `tenured`: its jobs do nothing, so that what is measured is the way to them and back.
namespace {

using namespace tenure::bench;

constexpr std::chrono::milliseconds kLook{10};

void tell(const std::string& path, std::int64_t word) {
  const int pipe = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  const bool told = pipe >= 0 && ::write(pipe, &word, sizeof word) == static_cast<ssize_t>(sizeof word);
  if (pipe >= 0) ::close(pipe);
  if (!told) throw std::runtime_error("nobody listens on " + path);
}

std::int64_t now_us() { return tenure::RealClock{}.steady().since_start.count(); }

void tell_start(const TellStart& job, tenure::JobContext&) { tell(job.pipe, now_us()); }

void stay_once(const StayOnce& job, tenure::JobContext& context) {
  const std::int64_t started_us = now_us();
  const int mark = ::open(job.mark.c_str(), O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (mark < 0) {
    tell(job.pipe, started_us);
    return;
  }
  ::close(mark);
  tell(job.pipe, ::getpid());
  while (!context.stop_token().stop_requested()) std::this_thread::sleep_for(kLook);
}

constexpr const char* kTable =
    "create table if not exists mark (number integer primary key, text text not null)";
constexpr const char* kRow = "insert into mark (text) values (?)";

void write_row(const Writes& job, tenure::JobContext& context) {
  context.write([&](tenure::TenantTransaction& transaction) {
    transaction.execute(kTable);
    transaction.execute(kRow, job.text);
  });
}

void write_row_once(const WritesOnce& job, tenure::JobContext& context) {
  context.once("write", [&](tenure::JobTransaction& transaction) {
    transaction.execute(kTable);
    transaction.execute(kRow, job.text);
    transaction.enqueue(Nothing{job.text});
  });
}

}  // namespace

int main(int argc, char** argv) {
  tenure::JobRegistry jobs;
  jobs.add<Nothing>([](const Nothing&, tenure::JobContext&) {});
  jobs.add<Sleeps>([](const Sleeps& job, tenure::JobContext&) {
    std::this_thread::sleep_for(std::chrono::microseconds{job.us});
  });
  jobs.add<Poison>([](const Poison&, tenure::JobContext&) { std::abort(); });
  jobs.add<Writes>(write_row);
  jobs.add<WritesOnce>(write_row_once);
  jobs.add<TellStart>(tell_start);
  jobs.add<StayOnce>(stay_once);
  return tenure::worker_main(argc, argv, jobs, {.version = "bench 1"});
}
