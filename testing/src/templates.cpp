#include "templates.hpp"

#include <algorithm>
#include <cstddef>
#include <deque>
#include <mutex>
#include <utility>

namespace tenure::testing::detail {
namespace {

constexpr std::size_t kTemplatesMax = 16;

struct Known {
  TenantsOptions options;
  std::shared_ptr<const TenantTemplate> made;
};

bool are_same(const sqlite::Migration& a, const sqlite::Migration& b) {
  return a.number == b.number && a.name == b.name && a.sql == b.sql;
}

bool are_same(const TenantsOptions& a, const TenantsOptions& b) {
  return a.application == b.application &&
         std::ranges::equal(a.migrations, b.migrations,
                            [](const auto& one, const auto& other) { return are_same(one, other); });
}

}  // namespace

std::shared_ptr<const TenantTemplate> template_for(const TenantsOptions& options,
                                                   const std::filesystem::path& folder, WallTime now) {
  static std::mutex mutex;
  static std::deque<Known> templates;
  const std::lock_guard lock(mutex);
  const auto known =
      std::ranges::find_if(templates, [&](const Known& each) { return are_same(each.options, options); });
  if (known != templates.end()) return known->made;
  auto made = std::make_shared<const TenantTemplate>(folder, options, now);
  if (templates.size() == kTemplatesMax) templates.pop_front();
  templates.push_back({options, made});
  return made;
}

}  // namespace tenure::testing::detail
