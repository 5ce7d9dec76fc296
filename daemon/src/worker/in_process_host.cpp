#include "in_process_host.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/system.hpp>

#include <boost/asio/post.hpp>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <pthread.h>
#include <sys/socket.h>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr int kExitJobWouldNotEnd = 1;

}  // namespace

InProcessHost::InProcessHost(boost::asio::any_io_executor executor, const WorkerSetup& setup)
    : executor_(std::move(executor)), setup_(setup) {}

// Its sockets are closed by now, which ends the runtimes once their jobs have ended.
InProcessHost::~InProcessHost() {
  for (auto& [process, thread] : threads_) thread.join();
}

Result<int> InProcessHost::start(queue::ProcessNumber process, const config::PoolSettings&, OnGone on_gone) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return fail(ErrorCode::disk, "cannot make a socket pair: " + system_text(errno));
  threads_.emplace(process, std::thread([this, process, theirs = pair[1], on_gone = std::move(on_gone)] {
                     ::pthread_setname_np(::pthread_self(), "control");
                     const bool drained = run_worker(theirs, setup_);
                     boost::asio::post(executor_, [this, process, drained, on_gone] {
                       threads_.at(process).join();
                       threads_.erase(process);
                       on_gone({process, drained ? "drained" : "ended early"});
                     });
                   }));
  return pair[0];
}

void InProcessHost::end(queue::ProcessNumber, EndProcess::By) {
  log::write(log::Level::error, "worker.will_not_end",
             "a job has not ended in time and shares this process; leaving without it");
  std::_Exit(kExitJobWouldNotEnd);
}

}  // namespace tenure::daemon
