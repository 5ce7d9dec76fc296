#include "memory_writer.hpp"

namespace tenure::queue {

std::vector<TenantBehind> MemoryReader::tenants_behind() {
  std::vector<TenantBehind> all;
  for (const auto& [tenant, behind] : tables_.behind()) all.push_back(behind);
  return all;
}

void MemoryWriter::note_behind(const TenantBehind& behind) {
  const auto known = tables_.behind().find(behind.tenant);
  if (known == tables_.behind().end() || behind.wanted < known->second.wanted) tables_.set_behind(behind);
}

bool MemoryWriter::forget_behind(TenantNumber tenant) {
  if (!tables_.behind().contains(tenant)) return false;
  tables_.erase_behind(tenant);
  return true;
}

void MemoryWriter::forget_behind_noted(WallTime until) {
  std::vector<TenantNumber> old;
  for (const auto& [tenant, behind] : tables_.behind())
    if (behind.since <= until) old.push_back(tenant);
  for (const TenantNumber tenant : old) tables_.erase_behind(tenant);
}

std::optional<KnownSchemas> MemoryWriter::known_schemas(SchemasMark known) {
  if (known == tables_.schemas_mark()) return std::nullopt;
  KnownSchemas schemas{tables_.schemas_mark(), {}};
  for (const auto& [tenant, behind] : tables_.behind()) schemas.tenants.push_back(behind);
  return schemas;
}

}  // namespace tenure::queue
