#include "descriptor_account.hpp"

#include <tenure/base/error.hpp>

#include <algorithm>

namespace tenure::detail {

void DescriptorAccount::opened(const TenantName& tenant, HandleAccess access) {
  Files files = files_[tenant];
  ++files.connections;
  ++connections_;
  if (files.kept(access) > 0) --files.kept(access);
  change(tenant, files);
}

void DescriptorAccount::closed(const TenantName& tenant, HandleAccess access) {
  Files files = files_[tenant];
  TENURE_INVARIANT(files.connections > 0);
  --files.connections;
  --connections_;
  ++files.kept(access);
  change(tenant, files);
}

void DescriptorAccount::visited(const TenantName& tenant) {
  const auto known = files_.find(tenant);
  if (known == files_.end()) return;
  Files files = known->second;
  files.kept_to_write = std::max(files.kept_to_write, 1);
  change(tenant, files);
}

int DescriptorAccount::needed_for(const TenantName& tenant, HandleAccess access) const {
  const auto known = files_.find(tenant);
  DescriptorAccount::Files files = known == files_.end() ? Files{} : known->second;
  const int before = files.descriptors();
  ++files.connections;
  if (files.kept(access) > 0) --files.kept(access);
  return files.descriptors() - before;
}

void DescriptorAccount::change(const TenantName& tenant, const Files& files) {
  const auto known = files_.find(tenant);
  in_use_ += files.descriptors() - known->second.descriptors();
  if (files.connections == 0) files_.erase(known);
  else known->second = files;
}

}  // namespace tenure::detail
