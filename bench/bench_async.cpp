#include "measure.hpp"
#include "nothing_jobs.hpp"
#include "threads.hpp"
#include "workload.hpp"

#include <tenure/async.hpp>
#include <tenure/base/clock.hpp>
#include <tenure/client.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <exception>
#include <string>
#include <vector>

// Enqueues from an event loop: figure 4.1, beside the yardstick of figure 4 with as many threads as calls wait at a time.
namespace {

using namespace tenure;
using namespace tenure::bench;

constexpr std::uint64_t kSeed = 20261130;
constexpr std::size_t kThreadsOfYardstick = 64;

// One thread, on which so many calls wait at any time: whichever ends makes the next.
class Loop {
 public:
  Loop(queue::Store& store, double seconds)
      : store_(store), client_(store, clock_, {.application = "bench"}), seconds_(seconds) {
    for (std::size_t tenant = 0; tenant < kTenants; ++tenant) names_.push_back(tenant_name(tenant));
  }

  Sample run(std::size_t calls) {
    for (std::size_t each = 0; each < calls; ++each) enqueue();
    loop_.run();
    return watch_.rate(done_);
  }

 private:
  void enqueue() {
    client_.async_enqueue(job_, {.tenant = names_[tenants_.next()]},
                          boost::asio::bind_executor(loop_, [this](const std::exception_ptr& error, Uuid) {
                            if (error) std::rethrow_exception(error);
                            ++done_;
                            if (done_ % kBulk == 0) store_.checkpoint(kWalBytesMax);
                            if (watch_.seconds() < seconds_) enqueue();
                          }));
  }

  queue::Store& store_;
  const RealClock clock_;
  boost::asio::io_context loop_;
  Client client_;
  const double seconds_;
  const Nothing job_{.text = std::string(kPayloadBytes - 11, 'x')};
  ZipfTenants tenants_{kSeed};
  std::vector<TenantName> names_;
  std::size_t done_ = 0;
  const Stopwatch watch_;
};

void measure(const Options& options, ScratchFolder& folder) {
  const ControlTemplate control(folder.file("template.db"));
  const double seconds = options.quick ? 0.2 : 5.0;
  for (const std::size_t calls : {std::size_t{64}, std::size_t{4096}}) {
    std::vector<Figure> figures{{.number = "4.1",
                                 .what = fmt::format("async_enqueue, durable, {} wait at a time", calls),
                                 .unit = "jobs/s",
                                 .goal = {.ratio_min = 0.8}}};
    take_turns(
        options, figures,
        [&] {
          const auto store = control.open(folder.file("control.db"));
          return std::vector{Loop(*store, seconds).run(calls)};
        },
        [&] {
          return std::vector{
              group_yardstick(folder.file("yardstick.db"), kThreadsOfYardstick, seconds, kSeed)};
        });
  }
}

}  // namespace

int main(int argc, char** argv) {
  return bench_main(argc, argv,
                    {.name = "bench_async",
                     .what = "enqueues from an event loop",
                     .measure = [](const Options& options, ScratchFolder& folder) {
                       if (options.wants("4.1")) measure(options, folder);
                     }});
}
