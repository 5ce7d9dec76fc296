#include "building.hpp"
#include "handle_state.hpp"
#include "schema_objects.hpp"
#include "tenant_tables.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/base/sqlite/statement.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/sqlite/wal.hpp>
#include <tenure/base/sync_file.hpp>
#include <tenure/tenancy/adoption.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <system_error>
#include <utility>

namespace tenure {
namespace {

namespace fs = std::filesystem;

// Pages and their order; the keys of indexes are not compared, which would take as long as reading all rows by each of them.
constexpr sqlite::Query kQuickCheck{"quick_check_of_adopted", "pragma quick_check(1)"};
constexpr sqlite::Query kOwnNames{"own_names_of_adopted", R"sql(
  select name from main.sqlite_schema where name like 'tenure\_%' escape '\' limit 1)sql"};

void require_whole(sqlite::Connection& connection) {
  const std::string found{connection.statement(kQuickCheck).row().text(0)};
  if (found != "ok")
    raise(ErrorCode::database_damaged, "a page of it is wrong: " + found, {}, connection.path().string());
}

// Without a stamp none of our names may be taken.
void refuse_own_names(sqlite::Connection& connection) {
  auto row = connection.statement(kOwnNames);
  if (row.step())
    raise(ErrorCode::database_damaged,
          fmt::format("it has {}, a name of Tenure's, and no stamp", row.text(0)), {},
          connection.path().string());
}

std::int64_t bytes_of(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

// The greatest number of them: the last ones may have made no object.
std::size_t migrations_of(sqlite::Connection& connection, const AdoptionOptions& options) {
  if (options.migrations.empty()) return 0;
  const TenantSchema has = detail::schema_in(connection);
  for (std::size_t count = options.schemas.size(); count > 0; --count)
    if (!schema_difference(has, options.schemas[count - 1])) return count - 1;
  raise(ErrorCode::schema_mismatch,
        fmt::format("its tables are not those of any of the {} migrations; to the last one: {}",
                    options.migrations.size(),
                    schema_difference(has, options.schemas.back()).value_or("no difference")),
        {}, connection.path().string());
}

FoundDatabase look(const TenantFiles& files, const TenantName& name, const AdoptionOptions& options) {
  files.refuse_links(name);
  const fs::path path = files.path_for(name);
  if (!detail::is_there(path))
    raise(ErrorCode::tenant_does_not_exist, "no file lies at the tenant's place", name.text(), path.string());
  FoundDatabase found{.stamp = {}, .size_bytes = bytes_of(path)};
  sqlite::look_at(path, [&](sqlite::Connection& connection) {
    sqlite::limit_values_by_file(connection);
    require_whole(connection);
    found.stamp = read_stamp(connection);
    if (found.stamp) return;
    refuse_own_names(connection);
    found.migrations = migrations_of(connection, options);
  });
  if (found.stamp && (found.stamp->tenant != name || found.stamp->application != options.application))
    raise(ErrorCode::wrong_tenant,
          fmt::format("it carries the stamp of {} of the application {}", found.stamp->tenant.text(),
                      found.stamp->application),
          name.text(), path.string());
  return found;
}

class Adoption {
 public:
  Adoption(TenantRegistry& registry, const TenantFiles& files, const Clock& clock, const TenantName& name,
           const AdoptionOptions& options, const OnAdoptStep& on_step)
      : registry_(registry),
        files_(files),
        clock_(clock),
        name_(name),
        options_(options),
        on_step_(on_step) {}

  Adopted run() {
    enter(AdoptStep::lock);
    detail::make_synced_folders(files_.building_folder());
    detail::BuildingLock lock(files_.building_lock_for(name_), name_, WhenLocked::give_up);
    auto known = registry_.find(name_);
    if (known && is_made(known->state)) {
      registry_.sync();
      lock.remove();
      return {.tenant = *std::move(known), .existed = true};
    }
    if (known && known->state == TenantState::provisioning) end_log_of_interrupted();
    const FoundDatabase found = look(files_, name_, options_);
    enter(AdoptStep::begin);
    TenantRecord record = value_or_raise(registry_.begin_create(name_, clock_.wall()));
    try {
      mark_file(record.generation, found);
    } catch (
        const Error&) {  // the name is free again, and what has come into the file is found by the next call
      registry_.abandon_create(name_, record.generation);
      lock.remove();
      throw;
    }
    enter(AdoptStep::activate);
    value_or_raise(registry_.activate(name_, record.generation));
    record.state = TenantState::active;
    enter(AdoptStep::unlock);
    lock.remove();
    return {.tenant = std::move(record)};
  }

 private:
  static bool is_made(TenantState state) {
    return state != TenantState::provisioning && state != TenantState::deleted;
  }

  void enter(AdoptStep step) const {
    if (on_step_) on_step_(step);
  }

  // One that was killed in its last close has left a log without its index, which nobody can only look at.
  void end_log_of_interrupted() const {
    const std::string path = files_.path_for(name_).string();
    if (!detail::is_there(path + "-wal") || detail::is_there(path + "-shm")) return;
    files_.refuse_links(name_);
    const sqlite::Connection tidying{path, {.secure_delete = true}};
  }

  // Nobody is served before the last of these commits, and each is found by the next call.
  void mark_file(Generation generation, const FoundDatabase& found) const {
    const Stamp wanted = detail::first_stamp(name_, generation, options_.application);
    Stamp begun = wanted;
    begun.state = TenantState::provisioning;
    if (found.stamp && *found.stamp != wanted && *found.stamp != begun)
      raise(ErrorCode::wrong_tenant,
            fmt::format("it carries the stamp of generation {}, which the registry does not have",
                        found.stamp->generation.value),
            name_.text(), files_.path_for(name_).string());
    detail::with_tenant_failures(name_, nullptr, [&] {
      sqlite::Connection connection{files_.path_for(name_), {.secure_delete = true}};
      enter(AdoptStep::tables);
      if (!found.stamp) create_tenant_schema(connection, begun);
      enter(AdoptStep::steps);
      finish_file(connection, wanted);
      sqlite::sync_wal(connection);
    });
    sync_folder(files_.path_for(name_).parent_path());
  }

  void finish_file(sqlite::Connection& connection, const Stamp& wanted) const {
    sqlite::WriteTransaction transaction{connection};
    const Stamp stamp = current_stamp(connection);
    if (stamp == wanted) return;
    if (stamp.tenant != wanted.tenant || stamp.generation != wanted.generation)
      raise(ErrorCode::wrong_tenant, "another stamp was written to it meanwhile", name_.text(),
            connection.path().string());
    const std::size_t had = migrations_of(connection, options_);
    if (had > 0) sqlite::make_step_table(connection);
    for (std::size_t each = sqlite::applied_steps(connection, options_.migrations).count; each < had; ++each)
      sqlite::record_step(connection, options_.migrations[each], {sqlite::schema_cookie(connection)},
                          to_us(clock_.wall()));
    enter(AdoptStep::stamp);
    write_stamp(connection, wanted);
    transaction.commit();
  }

  TenantRegistry& registry_;
  const TenantFiles& files_;
  const Clock& clock_;
  const TenantName& name_;
  const AdoptionOptions& options_;
  const OnAdoptStep& on_step_;
};

}  // namespace

Result<FoundDatabase> look_at_database(const TenantFiles& files, const TenantName& name,
                                       const AdoptionOptions& options) {
  try {
    return look(files, name, options);
  } catch (const Error& error) {  // of one file of many
    return tl::unexpected(error.failure());
  }
}

Adopted adopt_tenant(TenantRegistry& registry, const TenantFiles& files, const Clock& clock,
                     const TenantName& name, const AdoptionOptions& options, const OnAdoptStep& on_step) {
  return Adoption{registry, files, clock, name, options, on_step}.run();
}

}  // namespace tenure
