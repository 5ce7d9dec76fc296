#include <tenure/base/log.hpp>
#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/commit_watch.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/migrations.hpp>
#include <tenure/tenancy/own_tables.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_migration.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace tenure {
namespace {

using Steps = std::span<const sqlite::Migration>;

[[noreturn]] void refuse(std::string message) { raise(ErrorCode::bad_configuration, std::move(message)); }

Steps steps_up_to(const TenantMigrations& migrations, std::int64_t to) {
  const Steps all{migrations.steps};
  if (to == 0) return all;
  if (to < 1 || to > std::ssize(all))
    raise(ErrorCode::bad_options, fmt::format("there is no step {}: the newest is {}", to, all.size()));
  return all.first(static_cast<std::size_t>(to));
}

// From `migrating`, which no other handle gets past, to the end of the last step.
class TenantMigration {
 public:
  TenantMigration(HandleLease& lease, const TenantMigrations& migrations, WallTime now,
                  const MigrateOptions& options)
      : lease_(lease),
        migrations_(migrations),
        steps_(steps_up_to(migrations, options.to)),
        now_(now),
        told_(options.told == nullptr ? own_ : *options.told) {}

  TenantMigrated run() {
    std::optional<OwnTables::WhileMigrating> permission;
    {
      const TenantSnapshot before = lease_->begin_read();
      OwnTables tables(before);
      told_ = {.from = static_cast<std::int64_t>(known(tables.connection())), .to = std::ssize(steps_)};
      permission.emplace(before);
    }
    require_codes(static_cast<std::size_t>(told_.from));
    if (!begin()) return told_;
    try {
      while (apply_next()) continue;
    } catch (...) {
      open_again();
      throw;
    }
    set_state(TenantState::active);
    return told_;
  }

 private:
  // How many of the steps it has had.
  std::size_t known(sqlite::Connection& connection) const {
    const sqlite::AppliedSteps applied = sqlite::applied_steps(connection, steps_);
    if (applied.newer)
      raise(ErrorCode::schema_mismatch,
            fmt::format("its database has step {} ({}), and it is to go to {}: use the program that is as "
                        "new as the database",
                        applied.newer->number, applied.newer->name, steps_.size()),
            lease_->tenant().text(), connection.path().string());
    return applied.count;
  }

  void require_codes(std::size_t known) const {
    for (const sqlite::Migration& step : steps_.subspan(known))
      if (has_code(step) && !migrations_.codes.contains(step.name))
        refuse(fmt::format("the migration {} has C++ code, and this program has none for it",
                           escaped(step.name)));
  }

  // False: there is nothing to do. A migration that was killed behind its last step has left only the stamp.
  bool begin() {
    TenantTransaction transaction = lease_->begin();
    OwnTables tables(transaction);
    const bool is_done = known(tables.connection()) == steps_.size();
    if (transaction.stamp().state == TenantState::active && is_done) return false;
    if (transaction.stamp().state == TenantState::active)
      commit_state(transaction, tables, TenantState::migrating);
    return true;
  }

  // Another one may be at the same: what comes next is looked up in the transaction that does it.
  bool apply_next() {
    TenantTransaction transaction = lease_->begin();
    std::optional<std::size_t> next;
    sqlite::Connection* connection = nullptr;
    {
      OwnTables tables(transaction);
      connection = &tables.connection();
      const std::size_t count = known(*connection);
      if (count == steps_.size()) return false;
      if (transaction.stamp().state != TenantState::migrating)
        raise(ErrorCode::tenant_busy, "another migration of it has ended meanwhile", lease_->tenant().text());
      sqlite::make_step_table(*connection);
      next = count;
    }
    const sqlite::Migration& step = steps_[*next];
    told_.failed_step = step.name;
    const sqlite::ExecutedStep executed = sqlite::execute_step(*connection, step);
    if (has_code(step)) run_code(step, transaction);
    {
      const OwnTables tables(transaction);
      sqlite::record_step(*connection, step, executed, to_us(now_));
      if (*next + 1 == steps_.size()) write_state(transaction, *connection, TenantState::active);
    }
    const detail::CommitLabel label(detail::CommitOf::own, step.name);
    transaction.commit();
    told_.failed_step.clear();
    told_.steps.push_back(step.name);
    return true;
  }

  void run_code(const sqlite::Migration& step, TenantTransaction& transaction) const {
    const OwnTables::WhileCodeRuns no_commit(transaction, step.name);
    migrations_.codes.find(step.name)->second(transaction);
  }

  void set_state(TenantState state) {
    TenantTransaction transaction = lease_->begin();
    OwnTables tables(transaction);
    if (transaction.stamp().state != state) commit_state(transaction, tables, state);
  }

  static void write_state(const TenantTransaction& transaction, sqlite::Connection& connection,
                          TenantState state) {
    Stamp stamp = transaction.stamp();
    stamp.state = state;
    write_stamp(connection, stamp);
  }

  static void commit_state(TenantTransaction& transaction, const OwnTables& tables, TenantState state) {
    write_state(transaction, tables.connection(), state);
    const detail::CommitLabel label(detail::CommitOf::own, name_of(state));
    transaction.commit();
  }

  // Its tables are whole, of a version between: whether jobs may use them is for their kinds to say.
  void open_again() noexcept {
    try {
      lease_.end_children();
      set_state(TenantState::active);
    } catch (const std::exception& error) {
      log::write(log::Level::warning, "tenant.left_migrating",
                 "a migration has failed and could not open its tenant again; the next one of it does",
                 {.error = error.what()});
    }
  }

  HandleLease& lease_;
  const TenantMigrations& migrations_;
  const Steps steps_;
  const WallTime now_;
  TenantMigrated own_ = {};
  TenantMigrated& told_;
};

}  // namespace

void check_migrations(const TenantMigrations& migrations, std::int64_t to) {
  std::int64_t expected = 1;
  for (const sqlite::Migration& step : steps_up_to(migrations, to)) {
    if (step.number != expected)
      refuse(fmt::format("the migration {} stands where number {} belongs", escaped(step.name), expected));
    ++expected;
  }
  for (const auto& [name, code] : migrations.codes) {
    const auto step = std::ranges::find(migrations.steps, name, &sqlite::Migration::name);
    if (step == migrations.steps.end() || !has_code(*step))
      refuse(
          fmt::format("this program has code for the migration {}, and no file of that name begins with "
                      "\"-- tenure: code\"",
                      escaped(name)));
  }
}

std::int64_t tenant_schema_version(const TenantReader& reader) {
  return sqlite::schema_version(OwnTables(reader).connection());
}

void require_tenant_schema(const TenantReader& reader, std::span<const sqlite::Migration> steps) {
  if (steps.empty()) return;
  require_schema_between(reader.tenant(), tenant_schema_version(reader), std::ssize(steps), std::ssize(steps),
                         steps);
}

void require_schema_between(const TenantName& tenant, std::int64_t has, std::int64_t min, std::int64_t max,
                            std::span<const sqlite::Migration> steps) {
  if (has < min) {
    const auto next = static_cast<std::size_t>(has);
    raise(ErrorCode::pending_migration,
          fmt::format("the database of {} has had {} of the {} migrations{}", tenant.text(), has, min,
                      next < steps.size() ? "; next is " + steps[next].name : ""),
          tenant.text());
  }
  if (has > max)
    raise(ErrorCode::schema_mismatch,
          fmt::format(
              "the database of {} has had {} migrations, and this program knows {}: it is too old for it",
              tenant.text(), has, max),
          tenant.text());
}

TenantMigrated migrate_tenant(HandleLease& lease, const TenantMigrations& migrations, WallTime now,
                              const MigrateOptions& options) {
  check_migrations(migrations, options.to);
  return TenantMigration(lease, migrations, now, options).run();
}

}  // namespace tenure
