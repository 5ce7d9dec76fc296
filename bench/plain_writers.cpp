#include "plain_writers.hpp"

#include "child.hpp"
#include "named_pipe.hpp"
#include "workload.hpp"
#include "yardstick_tenant.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <thread>
#include <utility>
#include <vector>

namespace tenure::bench {
namespace {

constexpr std::string_view kWriterRole = "plain-writer";
constexpr std::size_t kProcesses = 2;
constexpr std::size_t kThreads = 4;      // of each
constexpr std::size_t kDescriptors = 3;  // of a database
constexpr std::chrono::seconds kBound{300};

// Which thread writes in each tenant's database: the busiest tenant first, each to the thread that has the least to do until then.
std::vector<std::size_t> deal_out(const std::vector<std::size_t>& writes_of_tenants) {
  std::vector<std::size_t> tenants(writes_of_tenants.size());
  std::iota(tenants.begin(), tenants.end(), std::size_t{0});
  std::ranges::stable_sort(tenants, std::greater{},
                           [&](std::size_t tenant) { return writes_of_tenants[tenant]; });
  std::vector<std::size_t> thread_of(tenants.size());
  std::vector<std::size_t> loads(kProcesses * kThreads, 0);
  for (const std::size_t tenant : tenants) {
    const auto least = std::ranges::min_element(loads);
    // One that nobody writes to counts, too: each process keeps as many open as the other.
    *least += std::max<std::size_t>(1, writes_of_tenants[tenant]);
    thread_of[tenant] = static_cast<std::size_t>(least - loads.begin());
  }
  return thread_of;
}

struct CloseFile {
  void operator()(yardstick_tenant* file) const { yardstick_tenant_close(file); }
};

// The share of one process.
class Share {
 public:
  Share(const PlainWrites& work, std::size_t process) : files_(work.tenants), writes_of_threads_(kThreads) {
    std::vector<std::size_t> writes;
    std::vector<std::size_t> writes_of_tenants(work.tenants, 0);
    ZipfTenants zipf(work.seed, work.tenants);
    for (std::size_t write = 0; write < work.writes; ++write) {
      writes.push_back(zipf.next());
      ++writes_of_tenants[writes.back()];
    }
    const std::vector<std::size_t> thread_of = deal_out(writes_of_tenants);
    const auto is_ours = [&](std::size_t tenant) { return thread_of[tenant] / kThreads == process; };
    for (std::size_t tenant = 0; tenant < work.tenants; ++tenant)
      if (is_ours(tenant)) files_[tenant].reset(yardstick_tenant_open(plain_path(work.root, tenant).c_str()));
    for (const std::size_t tenant : writes)
      if (is_ours(tenant)) writes_of_threads_[thread_of[tenant] % kThreads].push_back(tenant);
  }

  void write() {
    std::vector<std::jthread> threads;
    for (const std::vector<std::size_t>& tenants : writes_of_threads_)
      threads.emplace_back([this, &tenants] {
        for (const std::size_t tenant : tenants)
          yardstick_tenant_write(files_[tenant].get(), payload().c_str());
      });
  }

 private:
  std::vector<std::unique_ptr<yardstick_tenant, CloseFile>> files_;
  std::vector<std::vector<std::size_t>> writes_of_threads_;
};

// Role PROCESS ROOT TENANTS WRITES SEED GO SAID.
void write_share(const std::vector<std::string>& words) {
  const PlainWrites work{.root = words.at(2),
                         .tenants = std::stoul(words.at(3)),
                         .writes = std::stoul(words.at(4)),
                         .seed = std::stoull(words.at(5))};
  NamedPipe go{NamedPipe::there(words.at(6))};
  NamedPipe said{NamedPipe::there(words.at(7))};
  Share share(work, std::stoul(words.at(1)));
  said.write(1);
  static_cast<void>(go.read(kBound));
  share.write();
  said.write(1);
}

}  // namespace

std::filesystem::path plain_path(const std::filesystem::path& root, std::size_t tenant) {
  return root / fmt::format("tenant-{}.db", tenant);
}

Sample write_plainly(ScratchFolder& folder, const PlainWrites& work) {
  allow_descriptors_of_plain_writers(work.tenants);
  NamedPipe go(folder.file("go"));
  NamedPipe said(folder.file("said"));
  std::vector<Child> writers;
  for (std::size_t process = 0; process < kProcesses; ++process)
    writers.emplace_back(
        std::vector<std::string>{own_program(), std::string{kWriterRole}, std::to_string(process),
                                 work.root.string(), std::to_string(work.tenants),
                                 std::to_string(work.writes), std::to_string(work.seed), go.path().string(),
                                 said.path().string()},
        folder.file(fmt::format("writer-{}.log", process)));
  const auto await_all = [&] {
    for (std::size_t process = 0; process < kProcesses; ++process) static_cast<void>(said.read(kBound));
  };
  await_all();
  const Stopwatch watch;
  for (std::size_t process = 0; process < kProcesses; ++process) go.write(1);
  await_all();
  const Sample sample{.value = watch.rate(work.writes).value};
  for (Child& writer : writers) writer.wait();
  return sample;
}

bool was_plain_writer(const Options& options) {
  if (options.rest.size() != 8 || options.rest[0] != kWriterRole) return false;
  write_share(options.rest);
  return true;
}

void allow_descriptors_of_plain_writers(std::size_t tenants) {
  // Shares differ by some tenants: the busy ones' writes weigh as many idle ones.
  const std::size_t wanted = kDescriptors * tenants * 3 / 5 + 100;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < wanted)
    throw std::runtime_error(fmt::format(
        "the yardstick keeps {} files open in {} processes: allow each {} descriptors (ulimit -Hn)", tenants,
        kProcesses, wanted));
}

}  // namespace tenure::bench
