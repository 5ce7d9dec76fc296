#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/strong.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/types.hpp>
#include <tenure/tenancy/registry.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Tenants whose databases have had fewer of the application's migrations than kinds of worker programs want: what a worker process has found
// when it gave a job back. Of all others nothing is known, and their jobs are tried. The dispatcher reads it and claims nothing for
// processes that want more; whoever brings a tenant on forgets it.
namespace tenure::queue {

// Then it is forgotten by itself, and one job is tried: a report may have come behind the migration that it had not seen, and who
// migrates may reach no control database.
inline constexpr std::chrono::minutes kBehindTrusted{5};

struct TenantBehind {
  TenantNumber tenant;
  std::int64_t wanted = 1;  // its database has had fewer migrations than that
  std::string told =
      {};  // by the process: "the database of acme has had 1 of the 2 migrations; next is 0002_x"
  WallTime since{};
  friend bool operator==(const TenantBehind&, const TenantBehind&) = default;
};

// Grows by every change of one, whoever makes it; before the first one 0.
using SchemasMark = Strong<struct SchemasMarkTag, std::int64_t>;
struct KnownSchemas {
  SchemasMark mark;
  bool is_all = true;                 // else: what has changed since the mark that was asked for
  std::vector<TenantBehind> tenants;  // by number
  std::vector<TenantNumber> level;    // of these nothing is known any more; none where these are all
};

// Brings the database of its tenant on, where a worker program has been told to do so at the first touch. Its one argument is
// `{"to": N}`: at least so many migrations are wanted.
inline constexpr std::string_view kMigrateKind = "tenure.migrate";
inline constexpr int kMigrateAttempts = 3;
[[nodiscard]] std::string migrate_arguments(std::int64_t to);
// BadPayload.
[[nodiscard]] Result<std::int64_t> read_migrate_arguments(std::string_view arguments);
// What such a job returns: how many migrations the database had had and has had since, and the names of those between.
[[nodiscard]] std::string migrate_result(std::int64_t from, std::int64_t to,
                                         const std::vector<std::string>& steps);
struct MigratedFromTo {
  std::int64_t from = 0, to = 0;  // both 0 of what is no such text
};
[[nodiscard]] MigratedFromTo read_migrate_result(std::string_view result);

// A job of that kind which has found a tenant behind wants one of kMigrateKind.
struct MigrationOrder {
  TenantNumber tenant;
  std::int64_t to = 1;
  std::string queue;
  Priority priority;
  ClaimRef found_by;
};

// What the last migration of a tenant has done, whoever has carried it out.
struct MigrationRecord {
  TenantNumber tenant;
  std::int64_t from = 0;  // how many migrations its database had had
  std::int64_t to = 0;    // and has had since; where it has failed and nobody could say, both are 0
  WallTime ended{};
  std::chrono::microseconds took{0};
  std::string error = {};  // empty: it was done
  friend bool operator==(const MigrationRecord&, const MigrationRecord&) = default;
};

// A part of JobReader.
class SchemaReader {
 public:
  virtual ~SchemaReader() = default;
  // By number.
  [[nodiscard]] virtual std::vector<TenantBehind> tenants_behind() = 0;
  // Nothing where nobody has told of one.
  [[nodiscard]] virtual std::optional<MigrationRecord> last_migration(TenantNumber tenant) = 0;
};

// A part of StoreWriter.
class SchemaWriter {
 public:
  virtual ~SchemaWriter() = default;
  // Where less is known to be wanting already, that stays: it says more.
  virtual void note_behind(const TenantBehind& behind) = 0;
  // The tenant's database has been brought on. False where nothing was known of it.
  virtual bool forget_behind(TenantNumber tenant) = 0;
  // Those that were noted up to then.
  virtual void forget_behind_noted(WallTime until) = 0;
  // What has changed since that mark, which is 0, for all, or that of the answer before; one seek where nothing has.
  [[nodiscard]] virtual std::optional<KnownSchemas> known_schemas(SchemasMark known) = 0;

  // Enqueues a job of kMigrateKind in the tenant, unless there is one for as many migrations. False: there is one, or the tenant takes
  // none.
  virtual bool start_migration(const MigrationOrder& order, WallTime now) = 0;
  // Keeps it in place of the one before. Behind one that was done nothing is known of the tenant as behind, and where it had failed by a
  // migration it is what it was before; one with an error makes a tenant `failed` that is active, paused or read-only, with a row of the
  // audit. True: jobs of it may go now.
  virtual bool note_migration(const MigrationRecord& migration) = 0;
};

}  // namespace tenure::queue
