#include "job_owner.hpp"

#include "tenant_rows.hpp"

#include <cstddef>
#include <span>

namespace tenure::queue {
namespace {

using sqlite::Query;

// ?1 id. Index: the unique one of job.id.
constexpr Query kOwnerOfJob{"owner_of_job", "select seq, tenant from job where id = ?1"};

}  // namespace

// One whose tenant is in no row is nobody's.
std::optional<JobOwner> owner_of_job(sqlite::Connection& connection, JobId id) {
  JobOwner owner;
  TenantNumber number;
  {
    auto row = connection.statement(kOwnerOfJob);
    if (!row.bind(std::as_bytes(std::span{id.uuid.bytes()})).step()) return std::nullopt;
    owner.seq = JobSeq{row.integer(0)};
    number = TenantNumber{row.integer(1)};
  }
  if (number == kUntenanted) return owner;
  const auto tenant = tenant_numbered(connection, number);
  if (!tenant) return std::nullopt;
  const auto newest = newest_tenant(connection, tenant->name);
  owner.tenant = tenant->name;
  owner.generation = tenant->generation;
  owner.is_newest = newest && newest->generation == tenant->generation;
  return owner;
}

std::vector<const Query*> job_owner_queries() { return {&kOwnerOfJob}; }

}  // namespace tenure::queue
