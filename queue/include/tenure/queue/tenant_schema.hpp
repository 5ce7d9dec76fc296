#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/strong.hpp>
#include <tenure/tenancy/registry.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
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
  std::vector<TenantBehind> tenants;  // by number
};

// A part of JobReader.
class SchemaReader {
 public:
  virtual ~SchemaReader() = default;
  // By number.
  [[nodiscard]] virtual std::vector<TenantBehind> tenants_behind() = 0;
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
  // All, where any has changed since that mark; one seek where none has.
  [[nodiscard]] virtual std::optional<KnownSchemas> known_schemas(SchemasMark known) = 0;
};

}  // namespace tenure::queue
