#include "tenant_tree.hpp"

#include <algorithm>
#include <optional>
#include <system_error>

namespace tenure::cli {
namespace {

namespace fs = std::filesystem;

// One component of the path is the tenant's name, perhaps with an ending.
std::optional<TenantName> owner_of_place(const TenantFiles& files, const fs::path& path) {
  for (const fs::path& component : path.lexically_relative(files.root())) {
    auto name = TenantName::parse(component.stem().string());
    if (name && files.path_for(*name) == path) return *std::move(name);
  }
  return std::nullopt;
}

}  // namespace

std::vector<TreeFile> files_of_tenants(const TenantFiles& files) {
  std::vector<TreeFile> found;
  std::error_code error;
  fs::recursive_directory_iterator entry(files.root(), fs::directory_options::skip_permission_denied, error);
  std::size_t looks = 0;
  for (; !error && entry != fs::recursive_directory_iterator{} && looks < kTreeLooksMax;
       entry.increment(error), ++looks) {
    const bool is_own = entry.depth() == 0 && entry->path().filename().string().starts_with('.');
    if (is_own) entry.disable_recursion_pending();
    std::error_code ignored;
    if (is_own || !fs::is_regular_file(entry->symlink_status(ignored))) continue;
    if (auto name = owner_of_place(files, entry->path())) found.push_back({*std::move(name), entry->path()});
  }
  std::ranges::sort(found, {}, &TreeFile::path);
  return found;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator{};
       entry.increment(error))
    names.push_back(entry->path().filename().string());
  std::ranges::sort(names);
  return names;
}

}  // namespace tenure::cli
