#include "in_process_host.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/system.hpp>

#include <boost/asio/post.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr int kExitJobWouldNotEnd = 1;
constexpr std::chrono::milliseconds kEndWait{500};

}  // namespace

InProcessHost::InProcessHost(boost::asio::any_io_executor executor, const WorkerSetup& setup)
    : executor_(std::move(executor)), setup_(setup), last_wait_(executor_) {}

// Its sockets are closed by now, which ends the runtimes once their jobs have ended.
InProcessHost::~InProcessHost() {
  for (auto& [process, worker] : workers_) {
    ::shutdown(worker.socket.number(), SHUT_RDWR);
    worker.thread.join();
  }
}

Result<int> InProcessHost::start(queue::ProcessNumber process, const config::PoolSettings&, OnGone on_gone) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return fail(ErrorCode::disk, "cannot make a socket pair: " + system_text(errno));
  Worker& worker = workers_[process];
  worker.socket = Descriptor{::fcntl(pair[1], F_DUPFD_CLOEXEC, 0)};
  worker.socket_kept.emplace(worker.socket.number());
  worker.thread = std::thread{[this, process, theirs = pair[1], on_gone = std::move(on_gone)] {
    ::pthread_setname_np(::pthread_self(), "control");
    const bool drained = run_worker(theirs, setup_);
    boost::asio::post(executor_, [this, process, drained, on_gone] {
      reap(process);
      on_gone({process, drained ? "drained" : "ended early"});
    });
  }};
  return pair[0];
}

void InProcessHost::reap(queue::ProcessNumber process) {
  last_wait_.cancel();
  workers_.at(process).thread.join();
  workers_.erase(process);
}

pid_t InProcessHost::pid_of(queue::ProcessNumber) const { return ::getpid(); }

void InProcessHost::end(queue::ProcessNumber process, EndProcess::By) {
  const auto worker = workers_.find(process);
  if (worker == workers_.end()) return;
  ::shutdown(worker->second.socket.number(), SHUT_RDWR);
  last_wait_.expires_after(kEndWait);
  last_wait_.async_wait([](boost::system::error_code error) {
    if (error) return;
    log::write(log::Level::error, "worker.will_not_end",
               "a job has not ended in time and shares this process; leaving without it");
    log::exit_at_once(kExitJobWouldNotEnd);
  });
}

}  // namespace tenure::daemon
