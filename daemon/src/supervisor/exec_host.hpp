#pragma once

#include "control_groups.hpp"
#include "worker_host.hpp"
#include "worker_output.hpp"
#include "worker_start.hpp"

#include <tenure/base/system.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tenure::daemon {

// Which file a program was: another one after each deploy, whether it was replaced or written over.
struct ProgramFile {
  dev_t device = 0;
  ino_t number = 0;
  std::int64_t size = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const ProgramFile&, const ProgramFile&) = default;
};

// Starts worker programs by exec; of our descriptors the child gets its socket, its slot board, where it prints and
// logs, and a pipe that holds the keys of seals. What a worker
// process has started is ended when it is gone: its process group, and its control group where ours is delegated.
// Threads: start() on the thread that lives as long as the daemon, since the kernel kills a worker when the thread that
// started it ends.
class ExecHost final : public WorkerHost {
 public:
  ExecHost(boost::asio::any_io_executor executor, WorkerSurroundings surroundings);
  ~ExecHost() override;

  [[nodiscard]] Result<int> start(queue::ProcessNumber process, const config::PoolSettings& pool,
                                  OnGone on_gone) override;
  [[nodiscard]] pid_t pid_of(queue::ProcessNumber process) const override;
  void end(queue::ProcessNumber process, EndProcess::By by) override;
  [[nodiscard]] int lock_to_share() const override { return surroundings_.lock_descriptor; }
  void tell_to_open_log() override;
  [[nodiscard]] bool can_replace() const override { return true; }
  [[nodiscard]] std::vector<queue::ProcessNumber> of_old_programs() const override;
  [[nodiscard]] std::int64_t memory_of(queue::ProcessNumber process) const override;
  void use(const config::Settings& settings) override;

 private:
  struct Child {
    pid_t pid = 0;
    std::filesystem::path program;
    ProgramFile file;  // that it was
    boost::asio::posix::stream_descriptor watch;
    std::shared_ptr<WorkerOutput> output;
    Descriptor board;
    std::optional<std::int64_t> memory_kills;  // before its start
    std::filesystem::path group;               // empty: none
    OnGone on_gone;
  };
  [[nodiscard]] ControlGroup group_for(queue::ProcessNumber process, std::string_view pool);
  queue::ProcessExit wait_for_end(const Child& child);
  void await_end(queue::ProcessNumber process);
  [[nodiscard]] bool has_ended(queue::ProcessNumber process) const;
  void reap(queue::ProcessNumber process);
  void sweep_groups();

  boost::asio::any_io_executor executor_;
  WorkerSurroundings surroundings_;
  ControlGroups groups_;
  boost::asio::steady_timer next_sweep_;
  std::map<queue::ProcessNumber, Child> children_;
};

}  // namespace tenure::daemon
