#pragma once

#include <tenure/queue/store.hpp>

#include <cstddef>
#include <memory>

namespace tenure::queue {

struct MemoryStoreOptions {
  std::size_t payload_max = 256UL * 1024;
  KeyRing keys = {};  // that seal what is enqueued
};

// The same behaviour in memory, for tests and simulations; nothing outlives it.
// Threads: every method from any thread.
[[nodiscard]] std::unique_ptr<Store> make_memory_store(const MemoryStoreOptions& options = {});

// Sets the state of a tenant's newest generation in a store of make_memory_store. TenantDoesNotExist.
void set_tenant_state_for_test(Store& memory_store, const TenantName& tenant, TenantState state);

}  // namespace tenure::queue
