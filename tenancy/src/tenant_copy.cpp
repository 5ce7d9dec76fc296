#include "building.hpp"
#include "create_tenant.hpp"
#include "handle_state.hpp"
#include "own_schema.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/copy.hpp>
#include <tenure/base/sqlite/copy_file.hpp>
#include <tenure/base/sqlite/database_file.hpp>
#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/sqlite/run_watched.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/tenant_copy.hpp>

#include <cerrno>
#include <optional>
#include <sys/stat.h>
#include <tenure_tenancy_schema.hpp>
#include <utility>

namespace tenure {
namespace {

namespace fs = std::filesystem;
using sqlite::Connection;
using sqlite::Query;

constexpr mode_t kModeOfCopy = 0600;

constexpr Query kMakeCopyTable{"make_copy_table", tenancy_schema::k0002_copy_sql};
constexpr Query kForgetCopyTable{"forget_copy_table", "drop table if exists main.tenure_copy"};
// ?1 copied_us
constexpr Query kNoteCopied{"note_copied",
                            "insert into main.tenure_copy(only_one, copied_us) values (1, ?1)"};
constexpr Query kHasTable{"has_table", "select 1 from main.sqlite_schema where type = 'table' and name = ?1"};
// Index: primary key.
constexpr Query kCopiedWhen{"copied_when", "select copied_us from main.tenure_copy where only_one = 1"};
constexpr Query kMigrations{"count_migrations", "select count(*) from main.tenure_migration"};
constexpr Query kPageSize{"page_size", "pragma page_size"};
// ?1 after  ?2 limit. Index: primary key.
constexpr Query kOutboxRows{"buried_outbox", R"sql(
  select seq, envelope from main.tenure_outbox where seq > ?1 order by seq limit ?2)sql"};
constexpr Query kNewestOfOutbox{"newest_of_buried_outbox",
                                "select seq from main.sqlite_sequence where name = 'tenure_outbox'"};
constexpr Query kPages{"page_problem", "pragma integrity_check(1)"};

bool has_table(Connection& connection, std::string_view name) {
  return connection.statement(kHasTable).bind(name).step();
}

Stamp stamp_in(Connection& connection) {
  std::optional<Stamp> stamp = read_stamp(connection);
  if (!stamp)
    raise(ErrorCode::wrong_tenant, "the file carries no stamp, so it is no tenant's database", {},
          connection.path().string());
  return *std::move(stamp);
}

void require_whole(Connection& connection, FunctionRef<void()> look) {
  std::string problem;
  sqlite::run_watched(connection, look,
                      [&] { problem = std::string{connection.statement(kPages).row().text(0)}; });
  if (problem != "ok")
    raise(ErrorCode::database_damaged, "the file has damaged pages: " + problem, {},
          connection.path().string());
}

WallTime last_written(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) raise_system(errno, "the file cannot be looked at", path);
  return from_us(status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1000);
}

TenantCopy described(Connection& connection, const fs::path& path) {
  Stamp stamp = stamp_in(connection);
  TenantCopy copy{.tenant = std::move(stamp.tenant),
                  .generation = stamp.generation,
                  .application = std::move(stamp.application)};
  if (has_table(connection, "tenure_migration"))
    copy.migrations = connection.statement(kMigrations).row().integer(0);
  std::optional<WallTime> copied;
  if (has_table(connection, "tenure_copy")) {
    auto row = connection.statement(kCopiedWhen);
    if (row.step()) copied = from_us(row.integer(0));
  }
  copy.copied = copied ? *copied : last_written(path);
  copy.size_bytes = static_cast<std::int64_t>(fs::file_size(path));
  return copy;
}

// A copy of a file that was itself put in its place as a copy is of now.
void note_copied(const fs::path& path, WallTime now) {
  Connection connection(path, {});
  sqlite::WriteTransaction transaction{connection};
  connection.execute(kForgetCopyTable);
  connection.execute(kMakeCopyTable);
  connection.statement(kNoteCopied).bind(to_us(now)).run();
  transaction.commit();
}

// Where nobody has the database open it is the file alone, which is only read: a reader beside nobody would leave a log behind.
void copy_pages(const fs::path& source, const sqlite::CopyFile& copy,
                FunctionRef<void(std::int64_t, std::int64_t)> progress) {
  const auto work = [&](Connection& connection) {
    const std::int64_t page = connection.statement(kPageSize).row().integer(0);
    sqlite::copy_database(connection, copy.path(), [&](const sqlite::CopyProgress& so_far) {
      progress(so_far.pages_done * page, so_far.pages * page);
    });
  };
  if (sqlite::look_at_file(source, work)) return;
  copy.begin_anew();
  Connection connection(source, {.access = sqlite::Access::read_only});
  work(connection);
}

}  // namespace

TenantCopy copy_tenant(const TenantFiles& files, const StampExpectation& expected, const fs::path& target,
                       const Clock& clock,
                       FunctionRef<void(std::int64_t bytes_done, std::int64_t bytes)> progress) {
  files.refuse_links(expected.tenant);
  const fs::path source = files.path_for(expected.tenant);
  const sqlite::CopyFile unfinished(target, kModeOfCopy);
  const WallTime now = clock.wall();
  std::int64_t bytes = 0;
  detail::with_tenant_failures(expected.tenant, nullptr, [&] {
    copy_pages(source, unfinished, [&](std::int64_t bytes_done, std::int64_t total) {
      bytes = total;
      progress(bytes_done, total);
    });
  });
  std::optional<TenantCopy> copy;
  const auto look = [&](Connection& connection) {
    value_or_raise(check_identity(stamp_in(connection), expected));
    require_whole(connection, [&] { progress(bytes, bytes); });
  };
  if (!sqlite::look_at_file(unfinished.path(), look))
    raise(ErrorCode::disk, "the copy was written to while it was made", {}, unfinished.path().string());
  note_copied(unfinished.path(), now);
  if (!sqlite::look_at_file(unfinished.path(),
                            [&](Connection& connection) { copy = described(connection, unfinished.path()); }))
    raise(ErrorCode::disk, "the log of the copy could not be moved into it", {}, unfinished.path().string());
  sqlite::sync_database_file(unfinished.path());
  unfinished.finish();
  return *std::move(copy);
}

TenantCopy look_at_tenant_copy(const fs::path& path) {
  std::optional<TenantCopy> copy;
  const auto look = [&](Connection& connection) {
    sqlite::limit_values_by_file(connection);
    copy = described(connection, path);
    require_whole(connection, [] {});
  };
  if (!sqlite::look_at_file(path, look)) {
    // One that lies in the graveyard may have a log, by which it is whole.
    Connection connection(path, {.secure_delete = true});
    look(connection);
  }
  return *std::move(copy);
}

OutboxPage outbox_of_buried(const fs::path& path, std::int64_t after, std::size_t count_max) {
  OutboxPage page;
  Connection connection(path, {.secure_delete = true});
  if (auto row = connection.statement(kNewestOfOutbox); row.step()) page.newest = row.integer(0);
  auto row = connection.statement(kOutboxRows);
  row.bind(after, count_max);
  while (row.step()) page.entries.push_back({row.integer(0), std::string{as_text(row.blob(1))}});
  page.is_all = page.entries.size() < count_max;
  return page;
}

TenantRecord make_tenant_from_copy(TenantRegistry& registry, const TenantFiles& files, const Clock& clock,
                                   const TenantName& name, const TenantFromCopy& from,
                                   const CreateOptions& options) {
  TENURE_INVARIANT(!from.origin.empty() && from.origin.find_first_of(" \n") == std::string::npos);
  const TenantsOptions tenants{.application = from.application};
  return detail::create_tenant_from(
      registry, files, clock, tenants, name, options,
      {.path = from.copy, .origin = from.origin, .keeps_receipts = from.receipts == ReceiptsOfCopy::keep});
}

std::optional<std::string> origin_of_creation(const TenantFiles& files, const TenantName& name) {
  detail::Begun begun = detail::read_begun(files.building_lock_for(name));
  if (begun.generation == 0) return std::nullopt;
  return std::move(begun.source);
}

}  // namespace tenure
