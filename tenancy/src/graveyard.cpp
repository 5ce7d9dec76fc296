#include "building.hpp"
#include "create_tenant.hpp"
#include "handle_state.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/sqlite/commit_barrier.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/sqlite/statement.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/sqlite/wal.hpp>
#include <tenure/base/sync_file.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/graveyard.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_folder.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <numeric>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tenure {
namespace {

namespace fs = std::filesystem;

using detail::is_there;
using detail::kCompanions;

constexpr std::string_view kLog = "-wal";

// ?1 seq  ?2 limit. Index: primary key.
constexpr sqlite::Query kEntriesBehind{"outbox_entries_behind", R"sql(
  select seq, envelope from main.tenure_outbox where seq > ?1 order by seq limit ?2)sql"};
constexpr sqlite::Query kNewestOfClosed{"newest_outbox_number_of_closed",
                                        "select seq from main.sqlite_sequence where name = 'tenure_outbox'"};

fs::path beside(const fs::path& path, std::string_view ending) { return path.string() + std::string{ending}; }

std::int64_t size_of(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

void move_away(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) != 0)
    raise_system(errno, "the file cannot be moved to the graveyard", from);
}

void remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) raise_system(errno, "the file cannot be removed", path);
}

// One that an interrupted burial has closed is the tenant's too.
void require_own(std::optional<Stamp> stamp, const fs::path& path, const StampExpectation& expected) {
  if (!stamp)
    raise(ErrorCode::wrong_tenant, "the file carries no stamp, so it cannot be told whose it is",
          expected.tenant.text(), path.string());
  stamp->state = TenantState::draining;  // what else it says is compared as ever
  value_or_raise(check_identity(*stamp, expected));
}

// Whoever reads holds the log up, and whoever writes is over: a few frames may stay in it, and go with the file.
void close_stamp(const fs::path& path, const StampExpectation& expected, std::chrono::milliseconds wait_max) {
  sqlite::Connection gate{path, {.secure_delete = true, .busy_wait_max = wait_max}};
  std::optional<Stamp> stamp = read_stamp(gate);
  require_own(stamp, path, expected);
  if (stamp->state == TenantState::deleted) return;
  sqlite::WriteTransaction transaction{gate};
  stamp = current_stamp(gate);
  value_or_raise(check_identity(*stamp, expected));
  stamp->state = TenantState::deleted;
  write_stamp(gate, *stamp);
  transaction.commit();
  sqlite::sync_wal(gate);
}

// Without changing a byte, where that is possible: not beside a log without its index, nor while somebody begins one.
std::optional<Stamp> look_at_stamp(const fs::path& path, std::chrono::milliseconds wait_max) {
  std::optional<Stamp> stamp;
  try {
    sqlite::look_at(path, [&](sqlite::Connection& connection) { stamp = read_stamp(connection); });
    return stamp;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::access_refused && error.code() != ErrorCode::store_busy) throw;
  }
  sqlite::Connection connection{path, {.secure_delete = true, .busy_wait_max = wait_max}};
  return read_stamp(connection);
}

// False where it was not done, since the file is damaged.
bool unless_unreadable(Graveyard::Unreadable unreadable, FunctionRef<void()> work) {
  try {
    work();
    return true;
  } catch (const Error& error) {
    if (unreadable == Graveyard::Unreadable::refuse || error.code() != ErrorCode::database_damaged) throw;
    return false;
  }
}

bool has_companion(const fs::path& path) {
  return std::ranges::any_of(kCompanions,
                             [&](std::string_view ending) { return is_there(beside(path, ending)); });
}

OutboxPage read_closed(sqlite::Connection& connection, std::int64_t after, std::size_t count_max,
                       std::size_t bytes_max) {
  OutboxPage page;
  {
    auto newest = connection.statement(kNewestOfClosed);
    if (newest.step()) page.newest = newest.integer(0);
  }
  std::size_t bytes = 0;
  auto row = connection.statement(kEntriesBehind);
  row.bind(after, count_max + 1);
  while (row.step()) {
    const std::string_view text = as_text(row.blob(1));
    bytes += text.size();
    page.is_all = page.entries.empty() || (page.entries.size() < count_max && bytes <= bytes_max);
    if (!page.is_all) break;
    page.entries.push_back({row.integer(0), std::string{text}});
  }
  return page;
}

void move_log_into(const fs::path& path) {
  sqlite::Connection gate{path, {.secure_delete = true}};
  sqlite::Connection checkpointer{path, {.secure_delete = true}};
  static_cast<void>(sqlite::checkpoint_gated(gate, checkpointer));
}

}  // namespace

std::int64_t Burial::size_bytes() const {
  return std::accumulate(files.begin(), files.end(), std::int64_t{0},
                         [](std::int64_t sum, const BuriedFile& file) { return sum + file.size_bytes; });
}

Graveyard::Graveyard(TenantFiles files, std::string application, std::chrono::milliseconds wait_max)
    : files_(std::move(files)), application_(std::move(application)), wait_max_(wait_max) {}

fs::path Graveyard::path_for(const TenantName& tenant, Generation generation) const {
  // By the rules for names of paths.
  const fs::path built = files_.building_path_for(tenant);
  return files_.root() / ".graveyard" / fmt::format("{}.{}.db", built.stem().string(), generation.value);
}

void Graveyard::require_buriable(const TenantName& tenant, Generation generation) const {
  files_.refuse_links(tenant);
  const fs::path path = files_.path_for(tenant);
  if (!is_there(path)) return;
  detail::with_tenant_failures(tenant, nullptr, [&] {
    require_own(look_at_stamp(path, wait_max_), path,
                {.tenant = tenant, .generation = generation, .application = application_});
  });
}

void Graveyard::close(const TenantName& tenant, Generation generation) const {
  detail::make_synced_folders(files_.building_folder());
  detail::BuildingLock lock(files_.building_lock_for(tenant), tenant, WhenLocked::wait);
  files_.refuse_links(tenant);
  const fs::path path = files_.path_for(tenant);
  if (is_there(path))
    detail::with_tenant_failures(tenant, nullptr, [&] {
      close_stamp(path, {.tenant = tenant, .generation = generation, .application = application_}, wait_max_);
    });
  lock.remove();
}

OutboxPage Graveyard::outbox_behind(const TenantName& tenant, Generation generation, std::int64_t after,
                                    std::size_t count_max, std::size_t bytes_max) const {
  const fs::path buried = path_for(tenant, generation);
  const fs::path path = is_there(buried) ? buried : files_.path_for(tenant);
  if (!is_there(path)) return {};
  OutboxPage page;
  detail::with_tenant_failures(tenant, nullptr, [&] {
    sqlite::Connection connection{path, {.secure_delete = true, .busy_wait_max = wait_max_}};
    const std::optional<Stamp> stamp = read_stamp(connection);
    require_own(stamp, path, {.tenant = tenant, .generation = generation, .application = application_});
    if (stamp->state != TenantState::deleted)
      raise(ErrorCode::state_changed, "the database is not closed, so its outbox may get more rows",
            tenant.text(), path.string());
    page = read_closed(connection, after, count_max, bytes_max);
    sqlite::sync_wal(connection);
  });
  return page;
}

// A new tenant of that name may come once its predecessor is deleted, and that is behind this, so what lies at the place of the file is
// the old one's: its main file first, by which its stamp is closed, then what is left of its log.
Burial Graveyard::bury(const TenantName& tenant, Generation generation, const OnStep& on_step,
                       Unreadable unreadable) const {
  const auto enter = [&](BurialStep step) {
    if (on_step) on_step(step);
  };
  const fs::path from = files_.path_for(tenant);
  const fs::path to = path_for(tenant, generation);
  enter(BurialStep::lock);
  detail::make_synced_folders(files_.building_folder());
  detail::BuildingLock lock(files_.building_lock_for(tenant), tenant, WhenLocked::wait);
  files_.refuse_links(tenant);
  // Of a stamp that nobody can read: some process may have it in memory, and commit. Whoever has waited for this looks where its file is.
  std::optional<sqlite::CommitBarrier> barrier;
  if (is_there(from)) {
    enter(BurialStep::stamp);
    const bool is_closed = unless_unreadable(unreadable, [&] {
      detail::with_tenant_failures(tenant, nullptr, [&] {
        close_stamp(from, {.tenant = tenant, .generation = generation, .application = application_},
                    wait_max_);
      });
    });
    if (!is_closed) detail::with_tenant_failures(tenant, nullptr, [&] { barrier.emplace(from, wait_max_); });
    enter(BurialStep::log);
    if (is_closed) static_cast<void>(unless_unreadable(unreadable, [&] { move_log_into(from); }));
    enter(BurialStep::folder);
    detail::make_synced_folders(to.parent_path());
    enter(BurialStep::rename);
    move_away(from, to);
  }
  Burial burial;
  const bool has_rest = has_companion(from);
  if (has_rest) detail::make_synced_folders(to.parent_path());
  if (is_there(to) || has_rest) {
    enter(BurialStep::companions);
    if (is_there(beside(from, kLog))) move_away(beside(from, kLog), beside(to, kLog));
    for (const std::string_view ending : kCompanions) remove_file(beside(from, ending));
    enter(BurialStep::sync_folders);
    sync_folder(from.parent_path());
    sync_folder(to.parent_path());
    for (const fs::path& file : {to, beside(to, kLog)})
      if (is_there(file)) burial.files.push_back({file.filename().string(), size_of(file)});
  }
  enter(BurialStep::own_folder);
  const TenantFolder folder(files_, tenant, generation);
  if (const auto moved = folder.bury(); moved.is_there)
    burial.files.push_back({folder.buried_path().filename().string(), moved.size_bytes});
  lock.remove();
  return burial;
}

bool Graveyard::has(const TenantName& tenant, Generation generation) const {
  return is_there(path_for(tenant, generation));
}

TenantRecord Graveyard::take_back(const TenantName& tenant, Generation generation, TenantRegistry& registry,
                                  const Clock& clock) const {
  const TenantsOptions options{.application = application_};
  const fs::path buried = path_for(tenant, generation);
  return detail::create_tenant_from(registry, files_, clock, options, tenant, {},
                                    {.path = buried,
                                     .origin = buried.filename().string(),
                                     .folder = TenantFolder(files_, tenant, generation).buried_path()});
}

void Graveyard::remove_lock_of_interrupted(const TenantName& tenant) const {
  const fs::path path = files_.building_lock_for(tenant);
  if (!is_there(path)) return;
  try {
    detail::BuildingLock(path, tenant, WhenLocked::give_up).remove();
  } catch (const TenantExists&) {  // whoever has it removes it himself
  }
}

// The log first: without its file it is nothing. Of the folder, in which handlers have made what they like, all may not go; that holds up
// nothing of what is ours.
std::int64_t Graveyard::erase(const TenantName& tenant, Generation generation) const {
  const fs::path path = path_for(tenant, generation);
  std::int64_t bytes = 0;
  for (const std::string_view ending : {kCompanions[0], kCompanions[1], kCompanions[2], std::string_view{}}) {
    bytes += size_of(beside(path, ending));
    remove_file(beside(path, ending));
  }
  if (is_there(path.parent_path())) sync_folder(path.parent_path());
  try {
    bytes += TenantFolder(files_, tenant, generation).erase();
  } catch (const Error& error) {
    const log::Context context(tenant.text(), generation.value, {});
    log::write(
        log::Level::warning, "tenant.folder_left",
        std::string{"the database is erased, and what is left of the folder is to be removed by hand: "} +
            error.what());
  }
  return bytes;
}

}  // namespace tenure
