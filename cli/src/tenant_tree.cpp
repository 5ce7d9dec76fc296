#include "tenant_tree.hpp"

#include <tenure/base/function_ref.hpp>
#include <tenure/base/names.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

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

// What lies beside a database of SQLite is no database, whatever the template says of its name.
bool is_companion(const fs::path& path) {
  const std::string text = path.string();
  for (const std::string_view ending : std::array<std::string_view, 3>{"-wal", "-shm", "-journal"})
    if (text.ends_with(ending)) {
      std::error_code ignored;
      return fs::exists(fs::symlink_status(text.substr(0, text.size() - ending.size()), ignored));
    }
  return false;
}

// Regular files and links beneath the root, but for what is Tenure's own there.
void for_each_file(const fs::path& root, FunctionRef<void(const fs::path&, bool is_link)> work) {
  std::error_code error;
  fs::recursive_directory_iterator entry(root, fs::directory_options::skip_permission_denied, error);
  std::size_t looks = 0;
  for (; !error && entry != fs::recursive_directory_iterator{} && looks < kTreeLooksMax;
       entry.increment(error), ++looks) {
    const bool is_own = entry.depth() == 0 && entry->path().filename().string().starts_with('.');
    if (is_own) entry.disable_recursion_pending();
    std::error_code ignored;
    const fs::file_status status = entry->symlink_status(ignored);
    if (!is_own && (fs::is_regular_file(status) || fs::is_symlink(status)) && !is_companion(entry->path()))
      work(entry->path(), fs::is_symlink(status));
  }
}

// What stands in `text` for the tenant, the same at each place of it.
std::optional<std::string> tenant_by_template(std::string_view form, std::string_view text,
                                              std::optional<std::string> tenant) {
  constexpr std::size_t kBucketSize = 2;
  while (!form.empty()) {
    if (form.starts_with(kBucketPlaceholder)) {
      if (text.size() < kBucketSize) return std::nullopt;
      form.remove_prefix(kBucketPlaceholder.size());
      text.remove_prefix(kBucketSize);
    } else if (!form.starts_with(kTenantPlaceholder)) {
      if (text.empty() || text.front() != form.front()) return std::nullopt;
      form.remove_prefix(1);
      text.remove_prefix(1);
    } else if (tenant) {
      if (!text.starts_with(*tenant)) return std::nullopt;
      form.remove_prefix(kTenantPlaceholder.size());
      text.remove_prefix(tenant->size());
    } else {
      const std::size_t end = std::min(text.find('/'), text.size());
      for (std::size_t size = end; size > 0; --size)
        if (auto found = tenant_by_template(form.substr(kTenantPlaceholder.size()), text.substr(size),
                                            std::string{text.substr(0, size)}))
          return found;
      return std::nullopt;
    }
  }
  return text.empty() ? tenant : std::nullopt;
}

std::string why_misplaced(const TenantFiles& files, const std::string& text) {
  const auto name = TenantName::parse(text);
  return name ? fmt::format("the place of {} is {}", text, files.path_for(*name).string())
              : name.error().text();
}

}  // namespace

std::vector<TreeFile> files_of_tenants(const TenantFiles& files) {
  std::vector<TreeFile> found;
  for_each_file(files.root(), [&](const fs::path& path, bool is_link) {
    if (is_link) return;
    if (auto name = owner_of_place(files, path)) found.push_back({*std::move(name), path});
  });
  std::ranges::sort(found, {}, &TreeFile::path);
  return found;
}

std::vector<MisplacedFile> misplaced_files(const TenantFiles& files) {
  const std::string& whole = files.path_template();
  const std::string_view root = folder_before_placeholders(whole);
  std::string_view form = std::string_view{whole}.substr(root.size());
  while (form.starts_with('/')) form.remove_prefix(1);
  std::vector<MisplacedFile> found;
  for_each_file(files.root(), [&](const fs::path& path, bool is_link) {
    if (!is_link && owner_of_place(files, path)) return;
    const std::string relative = path.lexically_relative(files.root()).string();
    if (const auto text = tenant_by_template(form, relative, std::nullopt))
      found.push_back(
          {*text, path,
           is_link ? "a symbolic link, which Tenure does not follow" : why_misplaced(files, *text)});
  });
  std::ranges::sort(found, {}, &MisplacedFile::path);
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
