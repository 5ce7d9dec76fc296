#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/base/system.hpp>

#include <filesystem>
#include <memory>
#include <utility>

namespace tenure::daemon {

// The right to dispatch the jobs of one control database: an flock on a file beside it (queue::dispatcher_lock_path), held for
// life and shared with every worker process that has said hello. So it is free exactly when no process of the former holder lives that could perform a job, and
// whoever gets it may take back all claims at once. A child that a handler forks without exec does not inherit it. No lease, no heartbeat, no pid that could be used again.
class ControlLock {
 public:
  // LockHeld, whose message names the processes that hold it as far as the kernel tells.
  [[nodiscard]] static Result<ControlLock> try_acquire(const std::filesystem::path& control_database);

  // DatabaseMoved where the lock file was removed or replaced: then another process may hold what has its name now.
  void require_in_place() const;
  // The holder before this one died: since this boot, and without having said that it would leave.
  [[nodiscard]] bool former_died() const { return at_work_->former_died(); }
  // From now on the end of this process is no death. Safe in a signal handler; does nothing in a process that holds no lock, nor
  // where the former holder died and its claims have not been taken back: who is suspect is then for the next one to find out.
  static void note_leaving() noexcept;
  // The claims of former holders have been taken back. Does nothing in a process that holds no lock.
  static void note_claims_taken_back() noexcept;
  // For handing on to a worker process; close-on-exec here.
  [[nodiscard]] int descriptor() const { return descriptor_.number(); }

 private:
  // What the file says of its holder, for the next one.
  class AtWork {
   public:
    explicit AtWork(int descriptor);
    ~AtWork();
    AtWork(const AtWork&) = delete;
    AtWork& operator=(const AtWork&) = delete;
    [[nodiscard]] bool former_died() const { return former_died_; }

   private:
    int descriptor_;
    bool former_died_ = false;
  };
  ControlLock(std::filesystem::path path, Descriptor descriptor)
      : path_(std::move(path)),
        descriptor_(std::move(descriptor)),
        kept_(std::make_unique<KeptFromChildren>(descriptor_.number())),
        at_work_(std::make_unique<AtWork>(descriptor_.number())) {}
  std::filesystem::path path_;
  Descriptor descriptor_;
  std::unique_ptr<KeptFromChildren> kept_;
  std::unique_ptr<AtWork> at_work_;
};

}  // namespace tenure::daemon
