#pragma once

#include "../supervisor/worker_host.hpp"

#include <tenure/daemon/worker_runtime.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <map>
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
  // Leaves the whole program at once: what it held is taken back by the next start.
  void end(queue::ProcessNumber process, EndProcess::By by) override;

 private:
  boost::asio::any_io_executor executor_;
  const WorkerSetup& setup_;
  std::map<queue::ProcessNumber, std::thread> threads_;
};

}  // namespace tenure::daemon
