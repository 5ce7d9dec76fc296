#pragma once

#include <tenure/queue/store.hpp>

#include <cstddef>
#include <memory>

namespace tenure::queue {

struct MemoryStoreOptions {
  std::size_t payload_max = 256UL * 1024;
};

// The same behaviour in memory, for tests and simulations; nothing outlives it.
// Threads: every method from any thread.
[[nodiscard]] std::unique_ptr<Store> make_memory_store(const MemoryStoreOptions& options = {});

}  // namespace tenure::queue
