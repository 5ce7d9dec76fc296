#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/base/system.hpp>

#include <filesystem>
#include <memory>
#include <utility>

namespace tenure::daemon {

// The right to dispatch the jobs of one control database: an flock on a file beside it (CONTROL.db-dispatcher), held for
// life and inherited by every worker process. So it is free exactly when no process of the former holder lives, and
// whoever gets it may take back all claims at once. A child that a handler forks without exec does not inherit it. No lease, no heartbeat, no pid that could be used again.
class ControlLock {
 public:
  // LockHeld, whose message names the processes that hold it as far as the kernel tells.
  [[nodiscard]] static Result<ControlLock> try_acquire(const std::filesystem::path& control_database);

  // For handing on to a child; close-on-exec here.
  [[nodiscard]] int descriptor() const { return descriptor_.number(); }

 private:
  explicit ControlLock(Descriptor descriptor)
      : descriptor_(std::move(descriptor)), kept_(std::make_unique<KeptFromChildren>(descriptor_.number())) {}
  Descriptor descriptor_;
  std::unique_ptr<KeptFromChildren> kept_;
};

[[nodiscard]] std::filesystem::path control_lock_path(const std::filesystem::path& control_database);

}  // namespace tenure::daemon
