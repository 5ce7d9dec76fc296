#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/tenancy/outbox.hpp>
#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenant_name.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

// Copies of one tenant's database: made while others write to it, looked at, and made tenants again. It knows files and stamps, and not
// what the registry says. Threads: any, each with a copy of its own.
namespace tenure {

// What a copy says of itself.
struct TenantCopy {
  TenantName tenant;
  Generation generation;
  std::string application;
  WallTime copied{};            // of one that was not made by copy_tenant: when its file was written to last
  std::int64_t migrations = 0;  // of the application's that it has had
  std::int64_t size_bytes = 0;
};

// Copies the tenant's database as it is at one moment to `target`, whole and on disk or not there; nothing is overwritten, and nobody but its
// owner and root may read it. Others write meanwhile; their log is as long as what they write until the copy is made. It is looked through
// before it has its name. `progress` is called after each megabyte, and now and then while the copy is
// looked through; what it throws ends it.
// TenantDoesNotExist where there is no file; WrongTenant, StaleGeneration and TenantDeleted where it is not this tenant's; DatabaseDamaged;
// AccessRefused; DiskError.
TenantCopy copy_tenant(const TenantFiles& files, const StampExpectation& expected,
                       const std::filesystem::path& target, const Clock& clock,
                       FunctionRef<void(std::int64_t bytes_done, std::int64_t bytes)> progress);

// Rows on their way out that lie in a tenant's file which nobody has open any more, also one whose stamp is closed: those behind `after`.
// DatabaseDamaged.
[[nodiscard]] OutboxPage outbox_of_buried(const std::filesystem::path& path, std::int64_t after,
                                          std::size_t count_max);

// Looks through the whole file, which may have been made to harm, and changes nothing. WrongTenant where it carries no stamp, so it is no
// tenant's; DatabaseDamaged; SchemaMismatch where Tenure's tables in it are newer; DatabaseMissing, AccessRefused.
[[nodiscard]] TenantCopy look_at_tenant_copy(const std::filesystem::path& path);

enum class ReceiptsOfCopy : std::uint8_t {
  keep,    // its jobs are this tenant's, and their steps are in it
  forget,  // it has none of them
};

struct TenantFromCopy {
  std::filesystem::path copy;
  // Without blanks. What was interrupted goes on where this is the same, and begins anew where it is another one.
  std::string origin;
  ReceiptsOfCopy receipts = ReceiptsOfCopy::keep;
  std::string application;
};

// Makes a tenant as Tenants::create does, in the same steps and with its guarantees, with what the copy holds in place of an empty database:
// the stamp is its own, and its outbox is empty and counts from the beginning. The copy stays as it is.
TenantRecord make_tenant_from_copy(TenantRegistry& registry, const TenantFiles& files, const Clock& clock,
                                   const TenantName& name, const TenantFromCopy& from,
                                   const CreateOptions& options = {});

// Of a creation of that name that was interrupted, or is under way: what its tenant is made of, as TenantFromCopy says; the name of a file
// of the graveyard where it is taken back; empty where it begins empty. Nothing: no file of it was begun.
[[nodiscard]] std::optional<std::string> origin_of_creation(const TenantFiles& files, const TenantName& name);

}  // namespace tenure
