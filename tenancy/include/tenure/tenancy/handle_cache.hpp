#pragma once

#include <tenure/base/error.hpp>
#include <tenure/tenancy/handle.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tenure {

class TenantFiles;

enum class HandleAccess : std::uint8_t { read_write, read_only };

struct HandleCacheOptions {
  // Three for a tenant's first connection, one or two for each further one at the same time; 3 to 65536, and never more than RLIMIT_NOFILE leaves beside what else a process opens.
  int descriptors_max = 256;
  std::chrono::milliseconds wait_max{2000};  // while all connections are leased; 0 = fail at once
  std::chrono::milliseconds write_wait_max{
      5000};  // for the tenant's write lane: other writers of this process
  std::chrono::milliseconds lock_wait_max{5000};  // for other processes' writes
  std::string application = {};                   // the stamp must name it; empty: not compared
};

namespace detail {
class ConnectionPool;
}

// What a handler left open, for whoever reports it.
struct OpenChildren {
  int snapshots = 0;
  int transactions = 0;
  int cursors = 0;
  [[nodiscard]] bool none() const { return snapshots + transactions + cursors == 0; }
};

// One connection for one user, until it is destroyed: then what is still open is rolled back, the handle's
// children are HandleEnded, and the connection goes back to the cache. While it lives the connection is never
// evicted. Threads: those of its handle; cancel() from any.
class HandleLease {
 public:
  HandleLease(HandleLease&&) noexcept;
  HandleLease& operator=(HandleLease&&) noexcept;
  ~HandleLease();

  [[nodiscard]] TenantHandle& operator*() { return handle_; }
  [[nodiscard]] TenantHandle* operator->() { return &handle_; }
  [[nodiscard]] const TenantHandle& handle() const { return handle_; }

  // For the tenant's write lane from now on, in place of HandleCacheOptions::write_wait_max.
  void wait_for_writers(std::chrono::milliseconds wait_max);
  // The connection is closed at the end of the lease and not used again.
  void poison();
  // Stops the statement that runs and refuses every later access: Interrupted. Poisons.
  void cancel();
  [[nodiscard]] OpenChildren open_children() const;
  // Rolls back what is open: the children are HandleEnded, and the lease goes on.
  void end_children();

 private:
  friend class detail::ConnectionPool;
  HandleLease(std::shared_ptr<detail::ConnectionPool> pool, std::shared_ptr<detail::LeaseState> state);
  void end();

  std::shared_ptr<detail::ConnectionPool> pool_;
  std::shared_ptr<detail::LeaseState> state_;
  TenantHandle handle_;
};

// Keeps tenant databases open between uses, within a budget of file descriptors. It does not know which
// tenants should exist: a worker process has no registry. The stamp says whose file it is, at each lease and
// in each write transaction. The least recently used idle connection is closed for a new one. One fair write
// lane per tenant: writers of this process are served in the order in which they came. A checkpoint after a
// commit opens one connection more for its length, two descriptors above the budget, and leaves one of them to the next one. Threads: every method from any thread.
// Leases may outlive the cache. In a child of fork() a cache and its handles are ForkedProcess.
class HandleCache {
 public:
  HandleCache(TenantFiles files, HandleCacheOptions options);
  ~HandleCache();
  HandleCache(const HandleCache&) = delete;
  HandleCache& operator=(const HandleCache&) = delete;

  // Leases a connection, opening the file if none is idle; never creates one. Generation 0 takes whatever the
  // stamp says. Permanent: TenantDoesNotExist (no such file), WrongTenant, StaleGeneration, TenantDeleted,
  // AccessRefused (a symlink). Transient: HandleBudgetExhausted after wait_max. A damaged file throws.
  [[nodiscard]] Result<HandleLease> acquire(const TenantName& tenant, Generation generation,
                                            HandleAccess access = HandleAccess::read_write);

  // That the file at the tenant's path is one whose stamp this process has read, with the look of a stat(); where it is not, the
  // stamp is read without a connection of the budget, and where that tells nothing with one. What acquire says.
  [[nodiscard]] Result<void> verify(const TenantName& tenant, Generation generation);
  // Whether that look saw that no row stood in the tenant's outbox. False also where nobody has looked.
  [[nodiscard]] bool was_outbox_empty(const TenantName& tenant, Generation generation) const;

  // Closes this tenant's idle connections; leased ones are closed when their lease ends.
  void close(const TenantName& tenant);
  void close_idle();

  struct Counters {
    std::int64_t opened = 0;
    std::int64_t reused = 0;
    std::int64_t evicted = 0;      // idle, closed to make room
    std::int64_t exhausted = 0;    // HandleBudgetExhausted
    std::int64_t leased = 0;       // now
    std::int64_t idle = 0;         // now
    std::int64_t descriptors = 0;  // now, as the kernel counts them
  };
  [[nodiscard]] Counters counters() const;
  // Ends all leases as their destruction would, and tells whose they were and what was open on each, in the order of the leases. For a test
  // that looks for what was forgotten: no other thread may use one of them meanwhile.
  struct Leased {
    TenantName tenant;
    OpenChildren open;
  };
  [[nodiscard]] std::vector<Leased> end_leases_for_test();
  // A sync of some tenant's file has failed: every acquire is DiskSyncFailed from then on, and the process should end.
  [[nodiscard]] bool sync_failed() const;
  [[nodiscard]] const TenantFiles& files() const;

 private:
  std::shared_ptr<detail::ConnectionPool> pool_;
};

}  // namespace tenure
