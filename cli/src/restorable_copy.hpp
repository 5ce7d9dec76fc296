#pragma once

#include "session.hpp"

#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_copy.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <filesystem>
#include <string_view>

// Files of which tenants are made again.
namespace tenure::cli {

// From the working folder on.
[[nodiscard]] std::filesystem::path path_of_copy(std::string_view word);
// WrongTenant where it is of another tenant or application; SchemaMismatch where it has had more migrations than this configuration knows.
void require_restorable(Session& session, const TenantName& name, const std::filesystem::path& path,
                        const TenantCopy& copy);
// Of a tenant that lives: that its file is its own. WrongTenant, StaleGeneration, DatabaseDamaged, TenantDoesNotExist.
void require_database_of(const TenantFiles& files, const StampExpectation& expected);

// Whether the newest generation is the one that it puts back, or puts away: it is not of an earlier one.
[[nodiscard]] bool is_restore_of(const queue::TenantRestore& restore, const TenantRecord& newest);

}  // namespace tenure::cli
