// The worker of steady_test.cpp. Each fiftieth job writes down how much of the heap its process uses, in a file of that process below
// STEADY_HEAP. With STEADY_LEAK=yes each job keeps 1 KiB: the control run.
#include "steady_job.hpp"

#include <tenure/worker.hpp>

#include <cstdlib>
#include <fstream>
#include <malloc.h>
#include <mutex>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

namespace {

using tenure::reliability::Touch;

constexpr int kReadsEvery = 8;
constexpr int kWritesEvery = 64;
constexpr int kSampledEvery = 50;

std::string_view setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// What the process holds, without what malloc keeps of what was given back.
void write_down_heap(int number) {
  static std::mutex mutex;
  static std::ofstream file(std::string{setting("STEADY_HEAP")} + '/' + std::to_string(::getpid()));
  const struct ::mallinfo2 heap = ::mallinfo2();
  const std::lock_guard lock(mutex);
  file << number << ' ' << heap.uordblks + heap.hblkhd << std::endl;
}

void touch(const Touch& job, tenure::JobContext& context) {
  static const bool is_leaking = setting("STEADY_LEAK") == "yes";
  if (is_leaking) static_cast<void>((new std::vector<char>(1024, 'x'))->data());
  if (job.number % kSampledEvery == 0) write_down_heap(job.number);
  if (job.number % kReadsEvery != 0) return;
  context.read([](tenure::TenantReader& reader) {
    auto rows = reader.query("select count(*) from touched");
    rows.next();
  });
  if (job.number % (kReadsEvery * kWritesEvery) != 0) return;
  context.once("touch", [&](tenure::JobTransaction& transaction) {
    transaction.execute("insert into touched (number) values (?)", job.number);
  });
}

}  // namespace

int main(int argc, char** argv) {
  tenure::JobRegistry jobs;
  jobs.add<Touch>(touch);
  return tenure::worker_main(argc, argv, jobs, {.version = "steady 1"});
}
