#pragma once

#include "descriptor_account.hpp"
#include "handle_state.hpp"
#include "verified_files.hpp"

#include <tenure/base/process_bound.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

namespace tenure::detail {

// The connections of a HandleCache: leased, being opened, or idle, and never more than the budget allows.
// Connections are opened, checked and closed outside its lock.
// Threads: every method from any thread.
class ConnectionPool : public std::enable_shared_from_this<ConnectionPool> {
 public:
  ConnectionPool(TenantFiles files, HandleCacheOptions options);

  [[nodiscard]] Result<HandleLease> acquire(const TenantName& tenant, Generation generation,
                                            HandleAccess access);
  [[nodiscard]] Result<void> verify(const TenantName& tenant, Generation generation);
  [[nodiscard]] bool was_outbox_empty(const TenantName& tenant, Generation generation) const {
    return verified_.was_outbox_empty(tenant, generation);
  }
  // The end of a lease.
  void give_back(LeaseState& lease);
  void close(const TenantName& tenant);
  void close_idle();
  [[nodiscard]] HandleCache::Counters counters() const;
  [[nodiscard]] std::vector<HandleCache::Leased> end_leases();
  [[nodiscard]] const TenantFiles& files() const { return files_; }
  [[nodiscard]] bool sync_failed() const { return *sync_failed_; }

  // Called between the look at a connection that comes back and its return into the pool.
  std::function<void()> on_looked_at_for_test;

 private:
  struct Idle {
    TenantName tenant;
    HandleAccess access;
    std::unique_ptr<OpenTenant> open;
  };
  // Which connection it is: one of before its tenant's last close() is not pooled again.
  struct Origin {
    TenantName tenant;
    HandleAccess access;
    std::shared_ptr<TenantShared> shared;
    std::int64_t closes_seen = 0;
  };
  using IdleList = std::list<Idle>;  // the least recently used first

  // A place in the budget, and the idle connection of this tenant that came with it, if there was one.
  struct Place {
    std::unique_ptr<OpenTenant> reused;
    std::vector<std::unique_ptr<OpenTenant>> evicted;  // to be closed outside the lock
    Origin origin;
  };
  // A ticket in the line of those who want room, under the lock.
  class InLine {
   public:
    explicit InLine(ConnectionPool& pool) : pool_(pool), ticket_(++pool.last_ticket_) {
      pool_.waiters_.push_back(ticket_);
    }
    ~InLine() {
      std::erase(pool_.waiters_, ticket_);
      pool_.changed_.notify_all();  // the next one may be served too
    }
    InLine(const InLine&) = delete;
    InLine& operator=(const InLine&) = delete;
    [[nodiscard]] bool is_first() const { return pool_.waiters_.front() == ticket_; }

   private:
    ConnectionPool& pool_;
    const std::uint64_t ticket_;
  };
  [[nodiscard]] Result<Place> wait_for_place(const TenantName& tenant, HandleAccess access);
  [[nodiscard]] Place take_place(const TenantName& tenant, HandleAccess access);
  [[nodiscard]] std::optional<IdleList::iterator> idle_of(const TenantName& tenant, HandleAccess access);
  // How many of the least recently used make room for a connection; nothing where all of them do not.
  [[nodiscard]] std::optional<std::size_t> evictions_for(const TenantName& tenant, HandleAccess access) const;
  [[nodiscard]] std::unique_ptr<OpenTenant> evict(IdleList::iterator idle);
  void give_place_back(const TenantName& tenant, HandleAccess access);

  [[nodiscard]] std::unique_ptr<OpenTenant> open(const TenantName& tenant, HandleAccess access) const;
  [[nodiscard]] std::unique_ptr<OpenTenant> open_with_room(const TenantName& tenant, HandleAccess access);
  // False where none is idle.
  [[nodiscard]] bool close_least_recently_used();
  [[nodiscard]] Result<HandleLease> lease(const Origin& origin, Generation generation,
                                          std::unique_ptr<OpenTenant> open);
  enum class Afterwards : std::uint8_t { pooled, closed };
  void put_back(const Origin& origin, std::unique_ptr<OpenTenant> open, Afterwards afterwards);
  [[nodiscard]] Idle take_idle(IdleList::iterator idle);
  void close(Idle idle);
  [[nodiscard]] std::shared_ptr<TenantShared> shared_of(const TenantName& tenant);

  // By a look that makes no file and takes no place in the budget. False where that tells nothing.
  [[nodiscard]] bool verify_by_look(const TenantName& tenant, Generation generation);
  void remember_verified(const TenantName& tenant, Generation generation, sqlite::Connection& connection);

  // For good: the kernel calls the lost pages clean, and another descriptor's sync would say yes.
  const std::shared_ptr<std::atomic<bool>> sync_failed_ = std::make_shared<std::atomic<bool>>(false);
  const TenantFiles files_;
  const HandleCacheOptions options_;
  const int descriptors_max_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::uint64_t> waiters_;  // tickets, served in their order
  std::uint64_t last_ticket_ = 0;
  DescriptorAccount account_;  // of what is leased, being opened, idle
  IdleList idle_;
  std::unordered_map<TenantName, std::vector<IdleList::iterator>> idle_by_tenant_;
  std::unordered_map<TenantName, std::weak_ptr<TenantShared>> shared_;
  HandleCache::Counters counters_;
  std::list<LeaseState*> leases_;  // in their order
  VerifiedFiles verified_;
  ProcessBound process_;
};

}  // namespace tenure::detail
