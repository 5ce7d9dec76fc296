#pragma once

#include "../supervisor/worker_host.hpp"

#include <tenure/base/process_bound.hpp>
#include <tenure/base/system.hpp>
#include <tenure/daemon/worker_runtime.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <map>
#include <optional>
#include <thread>

namespace tenure::daemon {

// For a worker program that runs alone: the "worker process" is a thread of this one behind the same socket and protocol.
// There is no crash wall, and a job that does not end cannot be ended without the process.
class InProcessHost final : public WorkerHost {
 public:
  // `setup` must outlive it.
  InProcessHost(boost::asio::any_io_executor executor, const WorkerSetup& setup);
  ~InProcessHost() override;

  [[nodiscard]] Result<int> start(queue::ProcessNumber process, const config::PoolSettings& pool,
                                  OnGone on_gone) override;
  [[nodiscard]] pid_t pid_of(queue::ProcessNumber process) const override;
  // Ends the stream. Where a job then does not end within half a second, leaves the whole program: what it held is taken back by the
  // next start.
  void end(queue::ProcessNumber process, EndProcess::By by) override;

 private:
  struct Worker {
    Descriptor socket;  // a copy of its own
    std::optional<KeptFromChildren> socket_kept;
    std::thread thread;
  };
  void reap(queue::ProcessNumber process);

  boost::asio::any_io_executor executor_;
  const WorkerSetup& setup_;
  boost::asio::steady_timer last_wait_;
  std::map<queue::ProcessNumber, Worker> workers_;
};

}  // namespace tenure::daemon
