#pragma once

#include "client_calls.hpp"
#include "drafting.hpp"
#include "marked_files.hpp"

#include <tenure/base/line_limit.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/jobs/client.hpp>
#include <tenure/queue/mask.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <memory>
#include <mutex>

namespace tenure {

struct Client::Impl {
  // Of a client that opened its own; else empty.
  std::unique_ptr<Clock> own_clock;
  std::unique_ptr<queue::Store> own_store;
  std::unique_ptr<HandleCache> handles;
  std::unique_ptr<Tenants> own_tenants;

  queue::Store& store;
  const Clock& clock;
  Tenants* tenants;  // null: over a store alone
  ClientOptions options;
  queue::Mask mask{options.mask};
  ProcessBound process = {};

  detail::MarkedFiles marked = {};
  LineLimit lines = {};  // of jobs that were left
  std::mutex calls_mutex = {};
  std::shared_ptr<detail::ClientCalls> calls = {};  // from the first call of an event loop on

  [[nodiscard]] detail::JobDrafting drafting() const { return {options.application, mask, clock}; }
  // Calls `change` where the job is theirs, else JobNotFound.
  void change_one(const Uuid& id, const JobsOf& jobs, queue::StoreWriter& writer,
                  FunctionRef<void(queue::JobId)> change) const;
  void mark(const TenantTransaction& transaction);
  void relay(TenantHandle& handle);
};

}  // namespace tenure
