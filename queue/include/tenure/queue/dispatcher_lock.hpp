#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/system.hpp>

#include <filesystem>

namespace tenure::queue {

// The file beside a control database that its dispatcher holds locked (flock) for life.
[[nodiscard]] std::filesystem::path dispatcher_lock_path(const std::filesystem::path& control_database);

// Locks it, until the descriptor and all copies of it are closed, and makes it where it is not there; its text is left alone.
// LockHeld, whose message names the processes that hold it as far as the kernel tells. Else as raise_system() says. Threads: any.
[[nodiscard]] Result<Descriptor> try_lock_dispatcher_file(const std::filesystem::path& control_database);

}  // namespace tenure::queue
