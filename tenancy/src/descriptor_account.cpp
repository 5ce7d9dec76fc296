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

DescriptorAccount::Files DescriptorAccount::Closings::files_of(const TenantName& tenant) const {
  if (const auto changed = changed_.find(tenant); changed != changed_.end()) return changed->second;
  const auto known = account_.files_.find(tenant);
  return known == account_.files_.end() ? Files{} : known->second;
}

void DescriptorAccount::Closings::close(const TenantName& tenant, HandleAccess access) {
  Files files = files_of(tenant);
  const int before = files.descriptors();
  --files.connections;
  ++files.kept(access);
  in_use_ += files.descriptors() - before;
  changed_[tenant] = files.connections == 0 ? Files{} : files;
}

bool DescriptorAccount::Closings::make_room_for(const TenantName& tenant, HandleAccess access,
                                                int descriptors_max) const {
  Files files = files_of(tenant);
  const int before = files.descriptors();
  ++files.connections;
  if (files.kept(access) > 0) --files.kept(access);
  return in_use_ + files.descriptors() - before <= descriptors_max;
}

void DescriptorAccount::change(const TenantName& tenant, const Files& files) {
  const auto known = files_.find(tenant);
  in_use_ += files.descriptors() - known->second.descriptors();
  if (files.connections == 0) files_.erase(known);
  else known->second = files;
}

}  // namespace tenure::detail
