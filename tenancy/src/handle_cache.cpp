#include "connection_pool.hpp"

#include <tenure/tenancy/handle_cache.hpp>

#include <utility>

namespace tenure {

HandleLease::HandleLease(std::shared_ptr<detail::ConnectionPool> pool,
                         std::shared_ptr<detail::LeaseState> state)
    : pool_(std::move(pool)), state_(std::move(state)), handle_(state_) {}

HandleLease::HandleLease(HandleLease&&) noexcept = default;

HandleLease& HandleLease::operator=(HandleLease&& other) noexcept {
  if (this == &other) return *this;
  end();
  pool_ = std::move(other.pool_);
  state_ = std::move(other.state_);
  handle_ = std::move(other.handle_);
  return *this;
}

HandleLease::~HandleLease() { end(); }

void HandleLease::end() {
  if (state_ == nullptr) return;
  pool_->give_back(*state_);
  state_.reset();
}

void HandleLease::wait_for_writers(std::chrono::milliseconds wait_max) { state_->write_wait_max = wait_max; }
void HandleLease::poison() { state_->poisoned = true; }

void HandleLease::cancel() { state_->stop->store(true); }

void HandleLease::end_children() { state_->end_transactions(); }

OpenChildren HandleLease::open_children() const { return state_->open_children(); }

HandleCache::HandleCache(TenantFiles files, HandleCacheOptions options)
    : pool_(std::make_shared<detail::ConnectionPool>(std::move(files), std::move(options))) {}

HandleCache::~HandleCache() { pool_->close_idle(); }

Result<HandleLease> HandleCache::acquire(const TenantName& tenant, Generation generation,
                                         HandleAccess access) {
  return pool_->acquire(tenant, generation, access);
}

Result<void> HandleCache::verify(const TenantName& tenant, Generation generation) {
  return pool_->verify(tenant, generation);
}

bool HandleCache::was_outbox_empty(const TenantName& tenant, Generation generation) const {
  return pool_->was_outbox_empty(tenant, generation);
}

void HandleCache::close(const TenantName& tenant) { pool_->close(tenant); }

void HandleCache::close_idle() { pool_->close_idle(); }

HandleCache::Counters HandleCache::counters() const { return pool_->counters(); }

std::vector<HandleCache::Leased> HandleCache::end_leases_for_test() { return pool_->end_leases(); }

bool HandleCache::sync_failed() const { return pool_->sync_failed(); }

const TenantFiles& HandleCache::files() const { return pool_->files(); }

}  // namespace tenure
