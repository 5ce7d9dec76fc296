#include "connection_pool.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/sqlite/wal.hpp>
#include <tenure/tenancy/outbox.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <sys/resource.h>

namespace tenure::detail {
namespace {

constexpr int kDescriptorsMin = 3;  // of one connection
constexpr int kDescriptorsMax = 65536;
constexpr int kDescriptorsOfOthers = 64;
// Of a tenant's log that has grown beside a long reader, from its next beginning on. Else it is 1 MiB long (handle.cpp).
constexpr std::int64_t kLogBytesKept = 4LL << 20U;

// What the process may have open (RLIMIT_NOFILE), less what a worker and its jobs open besides.
int descriptors_of_process() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kDescriptorsMax;
  const auto allowed = static_cast<int>(std::min<rlim_t>(limit.rlim_cur, kDescriptorsMax));
  return allowed - std::min(kDescriptorsOfOthers, allowed / 2);
}

int budget_of(const HandleCacheOptions& options) {
  if (options.descriptors_max < kDescriptorsMin || options.descriptors_max > kDescriptorsMax)
    raise(ErrorCode::bad_configuration,
          fmt::format("descriptors_max is {}; it must lie between {} and {}", options.descriptors_max,
                      kDescriptorsMin, kDescriptorsMax));
  return std::max(std::min(options.descriptors_max, descriptors_of_process()), kDescriptorsMin);
}

// The errors that HandleCache::acquire returns; what is wrong with the world is thrown.
bool is_answer(ErrorCode code) {
  return code == ErrorCode::tenant_does_not_exist || code == ErrorCode::wrong_tenant ||
         code == ErrorCode::stale_generation || code == ErrorCode::tenant_deleted ||
         code == ErrorCode::access_refused || code == ErrorCode::handle_budget_exhausted ||
         code == ErrorCode::tenant_busy;
}

constexpr sqlite::Query kHasTemporaries{"has_temporaries", "select exists(select 1 from temp.sqlite_schema)"};

// Temporary tables and triggers of one user, or a savepoint that it left open, must not reach the next.
bool is_clean(OpenTenant& open) {
  return !open.connection.in_transaction() &&
         open.connection.statement(kHasTemporaries).row().integer(0) == 0;
}

// Whatever cannot be told to be fit for the next user is closed.
bool can_be_pooled(LeaseState& lease) noexcept {
  try {
    return !lease.poisoned && !lease.stop->load() && is_clean(*lease.open);
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace

ConnectionPool::ConnectionPool(TenantFiles files, HandleCacheOptions options)
    : files_(std::move(files)), options_(std::move(options)), descriptors_max_(budget_of(options_)) {}

Result<HandleLease> ConnectionPool::acquire(const TenantName& tenant, Generation generation,
                                            HandleAccess access) {
  process_.check("the cache of tenants' databases");
  if (sync_failed())
    raise(ErrorCode::disk_sync_failed,
          "a sync of a tenant's file has failed in this process; nothing more is acknowledged",
          tenant.text());
  Result<Place> place = wait_for_place(tenant, access);
  if (!place) return tl::unexpected<Failure>(std::move(place.error()));
  place->evicted.clear();
  std::unique_ptr<OpenTenant> opened = std::move(place->reused);
  try {
    // A file that was unlinked or replaced keeps its old content for whoever has it open.
    if (opened != nullptr && !opened->connection.still_on_disk()) {
      opened.reset();
      close(tenant);  // no new connection is made beside those that have the former log open
    }
    if (opened == nullptr) opened = open_with_room(tenant, access);
    return lease(place->origin, generation, std::move(opened));
  } catch (const Error& error) {
    opened.reset();
    give_place_back(tenant, access);
    if (!is_answer(error.code())) throw;
    return tl::unexpected<Failure>(error.failure());
  } catch (...) {
    opened.reset();
    give_place_back(tenant, access);
    throw;
  }
}

// The process may run out of descriptors before the budget is used up: others of it open files, too. Each idle connection that is
// closed makes room.
std::unique_ptr<OpenTenant> ConnectionPool::open_with_room(const TenantName& tenant, HandleAccess access) {
  while (true) {
    try {
      return open(tenant, access);
    } catch (const HandleBudgetExhausted&) {
      if (!close_least_recently_used()) throw;
    }
  }
}

bool ConnectionPool::close_least_recently_used() {
  std::unique_ptr<OpenTenant> oldest;
  {
    const std::lock_guard lock{mutex_};
    if (idle_.empty()) return false;
    oldest = evict(idle_.begin());
  }
  oldest.reset();
  changed_.notify_all();
  return true;
}

std::unique_ptr<OpenTenant> ConnectionPool::open(const TenantName& tenant, HandleAccess access) const {
  std::unique_ptr<OpenTenant> opened;
  with_tenant_failures(tenant, nullptr, [&] {
    files_.refuse_links(tenant);
    opened = std::make_unique<OpenTenant>(
        files_.path_for(tenant),
        sqlite::ConnectionOptions{.access = access == HandleAccess::read_only ? sqlite::Access::read_only
                                                                              : sqlite::Access::read_write,
                                  .secure_delete = true,
                                  .busy_wait_max = options_.lock_wait_max,
                                  .journal_size_limit_bytes = kLogBytesKept});
  });
  return opened;
}

// The stamp is read anew for each lease: it is what other processes change.
Result<HandleLease> ConnectionPool::lease(const Origin& origin, Generation generation,
                                          std::unique_ptr<OpenTenant> open) {
  std::optional<Stamp> stamp;
  with_tenant_failures(origin.tenant, open.get(), [&] { stamp = stamp_of(*open); });
  const Result<void> checked = check_identity(*stamp, {origin.tenant, generation, options_.application});
  if (!checked) {
    put_back(origin, std::move(open), Afterwards::pooled);
    return tl::unexpected<Failure>(checked.error());
  }
  remember_verified(origin.tenant, stamp->generation, open->connection);
  auto state = std::make_shared<LeaseState>(origin.tenant, *stamp, origin.access, options_.write_wait_max,
                                            open->stop, sync_failed_);
  state->shared = origin.shared;
  state->closes_seen = origin.closes_seen;
  state->open = std::move(open);
  state->on_visited = [this, tenant = origin.tenant] {
    const std::lock_guard lock{mutex_};
    account_.visited(tenant);
  };
  const std::lock_guard lock{mutex_};
  ++counters_.leased;
  state->among_leases = leases_.insert(leases_.end(), state.get());
  return HandleLease{shared_from_this(), std::move(state)};
}

Result<ConnectionPool::Place> ConnectionPool::wait_for_place(const TenantName& tenant, HandleAccess access) {
  std::unique_lock lock{mutex_};
  const InLine in_line(*this);
  // An idle connection of its own is for nobody else, so whoever has one does not wait behind those who want room.
  const bool served = changed_.wait_for(lock, options_.wait_max, [&] {
    return idle_of(tenant, access) || (in_line.is_first() && evictions_for(tenant, access));
  });
  if (served) return take_place(tenant, access);
  ++counters_.exhausted;
  return fail(
      ErrorCode::handle_budget_exhausted,
      fmt::format("all {} connections to tenants' databases were in use for {} ms; raise descriptors_max",
                  account_.connections(), options_.wait_max.count()),
      tenant.text());
}

std::optional<ConnectionPool::IdleList::iterator> ConnectionPool::idle_of(const TenantName& tenant,
                                                                          HandleAccess access) {
  const auto own = idle_by_tenant_.find(tenant);
  if (own == idle_by_tenant_.end()) return std::nullopt;
  const auto same =
      std::ranges::find_if(own->second, [&](const auto& idle) { return idle->access == access; });
  return same == own->second.end() ? std::nullopt : std::optional{*same};
}

// An idle connection beside others of its tenant frees one descriptor only, the last one of a tenant three and more.
std::optional<std::size_t> ConnectionPool::evictions_for(const TenantName& tenant,
                                                         HandleAccess access) const {
  DescriptorAccount::Closings closings(account_);
  std::size_t evictions = 0;
  for (const Idle& idle : idle_) {
    if (closings.make_room_for(tenant, access, descriptors_max_)) return evictions;
    closings.close(idle.tenant, idle.access);
    ++evictions;
  }
  if (closings.make_room_for(tenant, access, descriptors_max_)) return evictions;
  return std::nullopt;
}

ConnectionPool::Place ConnectionPool::take_place(const TenantName& tenant, HandleAccess access) {
  std::shared_ptr<TenantShared> shared = shared_of(tenant);
  const std::int64_t closes_seen = shared->closes;
  Place place{.origin = {tenant, access, std::move(shared), closes_seen}};
  if (const auto idle = idle_of(tenant, access)) {
    ++counters_.reused;
    place.reused = take_idle(*idle).open;
    return place;
  }
  ++counters_.opened;
  for (std::size_t left = evictions_for(tenant, access).value(); left > 0; --left)
    place.evicted.push_back(evict(idle_.begin()));
  account_.opened(tenant, access);
  return place;
}

std::unique_ptr<OpenTenant> ConnectionPool::evict(IdleList::iterator idle) {
  ++counters_.evicted;
  account_.closed(idle->tenant, idle->access);
  return take_idle(idle).open;
}

ConnectionPool::Idle ConnectionPool::take_idle(IdleList::iterator idle) {
  const auto own = idle_by_tenant_.find(idle->tenant);
  std::erase(own->second, idle);
  if (own->second.empty()) idle_by_tenant_.erase(own);
  Idle taken = std::move(*idle);
  idle_.erase(idle);
  return taken;
}

// Whether a close() has come since is compared under the lock that close() takes: a connection that passed it is closed
// here, and one that is pooled before it is closed there.
void ConnectionPool::put_back(const Origin& origin, std::unique_ptr<OpenTenant> open, Afterwards afterwards) {
  std::vector<std::unique_ptr<OpenTenant>> evicted;
  {
    const std::lock_guard lock{mutex_};
    if (afterwards == Afterwards::pooled && origin.closes_seen == origin.shared->closes) {
      idle_.push_back({.tenant = origin.tenant, .access = origin.access, .open = std::move(open)});
      idle_by_tenant_[origin.tenant].push_back(std::prev(idle_.end()));
    }
    // A checkpoint may have left a descriptor too many.
    while (account_.in_use() > descriptors_max_ && !idle_.empty()) evicted.push_back(evict(idle_.begin()));
  }
  evicted.clear();
  if (open == nullptr) {
    changed_.notify_all();
    return;
  }
  open.reset();
  give_place_back(origin.tenant, origin.access);
}

void ConnectionPool::give_place_back(const TenantName& tenant, HandleAccess access) {
  {
    const std::lock_guard lock{mutex_};
    account_.closed(tenant, access);
  }
  changed_.notify_all();
}

void ConnectionPool::give_back(LeaseState& lease) {
  if (process_.is_inherited()) return static_cast<void>(lease.open.release());
  if (lease.open == nullptr) return;  // ended before
  lease.end_transactions();
  const Afterwards afterwards = can_be_pooled(lease) ? Afterwards::pooled : Afterwards::closed;
  if (on_looked_at_for_test) on_looked_at_for_test();
  {
    const std::lock_guard lock{mutex_};
    --counters_.leased;
    leases_.erase(lease.among_leases);
  }
  put_back({lease.tenant, lease.access, lease.shared, lease.closes_seen}, std::move(lease.open), afterwards);
}

std::shared_ptr<TenantShared> ConnectionPool::shared_of(const TenantName& tenant) {
  constexpr std::size_t kForgottenMax = 1024;
  if (shared_.size() > account_.connections() + kForgottenMax)
    std::erase_if(shared_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<TenantShared>& known = shared_[tenant];
  std::shared_ptr<TenantShared> shared = known.lock();
  if (shared == nullptr) {
    shared = std::make_shared<TenantShared>();
    known = shared;
  }
  return shared;
}

Result<void> ConnectionPool::verify(const TenantName& tenant, Generation generation) {
  process_.check("the cache of tenants' databases");
  if (verified_.has(tenant, generation) || verify_by_look(tenant, generation)) return {};
  const Result<HandleLease> lease = acquire(tenant, generation, HandleAccess::read_write);
  if (!lease) return tl::unexpected<Failure>(lease.error());
  return {};
}

// A handler may use no database, and a connection makes and removes a log and an index. What the look cannot tell, or finds wrong,
// is left to a lease.
bool ConnectionPool::verify_by_look(const TenantName& tenant, Generation generation) {
  try {
    files_.refuse_links(tenant);
    const std::filesystem::path path = files_.path_for(tenant);
    const std::optional<SeenFile> before = look_at(path);
    std::optional<Stamp> stamp;
    auto outbox = SeenOutbox::not_looked_at;
    const auto read = [&](sqlite::Connection& file) {
      stamp = read_stamp(file);
      if (stamp && is_outbox_empty(file)) outbox = SeenOutbox::empty;
    };
    if (!before || !sqlite::look_at_file(path, read)) return false;
    if (!stamp || !check_identity(*stamp, {tenant, generation, options_.application})) return false;
    if (look_at(path) != before) return false;
    verified_.remember(tenant, stamp->generation, {*before, outbox}, path);
    return true;
  } catch (const Error&) {
    return false;
  }
}

// The look comes before the comparison with what the connection has open, so that a file that was replaced in between is not taken
// for the one that was read.
void ConnectionPool::remember_verified(const TenantName& tenant, Generation generation,
                                       sqlite::Connection& connection) {
  const std::optional<SeenFile> file = look_at(connection.path());
  if (file && connection.still_on_disk()) verified_.remember(tenant, generation, {*file}, connection.path());
}

void ConnectionPool::close(Idle idle) {
  idle.open.reset();
  give_place_back(idle.tenant, idle.access);
}

void ConnectionPool::close(const TenantName& tenant) {
  process_.check("the cache of tenants' databases");
  std::vector<Idle> closed;
  {
    const std::lock_guard lock{mutex_};
    ++shared_of(tenant)->closes;
    for (auto own = idle_by_tenant_.find(tenant); own != idle_by_tenant_.end();
         own = idle_by_tenant_.find(tenant))
      closed.push_back(take_idle(own->second.back()));
  }
  for (Idle& idle : closed) close(std::move(idle));
}

void ConnectionPool::close_idle() {
  if (process_.is_inherited()) return;
  std::vector<Idle> closed;
  {
    const std::lock_guard lock{mutex_};
    while (!idle_.empty()) closed.push_back(take_idle(idle_.begin()));
  }
  for (Idle& idle : closed) {
    const std::filesystem::path path = idle.open->connection.path();
    close(std::move(idle));
    sqlite::end_log(path);
  }
}

HandleCache::Counters ConnectionPool::counters() const {
  const std::lock_guard lock{mutex_};
  HandleCache::Counters counters = counters_;
  counters.idle = static_cast<std::int64_t>(idle_.size());
  counters.descriptors = account_.in_use();
  return counters;
}

std::vector<HandleCache::Leased> ConnectionPool::end_leases() {
  if (process_.is_inherited()) return {};  // the list is the parent's, and not kept here
  std::vector<LeaseState*> leases;
  {
    const std::lock_guard lock{mutex_};
    leases.assign(leases_.begin(), leases_.end());
  }
  std::vector<HandleCache::Leased> ended;
  for (LeaseState* const lease : leases) {
    ended.push_back({lease->tenant, lease->open_children()});
    give_back(*lease);
  }
  return ended;
}

}  // namespace tenure::detail
