#pragma once

#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace tenure {

// Where the tenants' files lie. Only this class makes their paths. It opens and creates nothing.
// Template: an absolute path in which %{tenant} stands for the name and %{bucket} for two hexadecimal digits
// of a hash of it (the low byte of 64-bit FNV-1a, the same on every machine and for ever); everything else is
// literal, a lone % and wildcards too. The root is the folder above the first component with a placeholder.
// Threads: a value; const methods from any thread.
class TenantFiles {
 public:
  // SQLite refuses longer names of a database, its -journal included.
  static constexpr std::size_t kPathMax = 500;  // bytes, with the longest tenant name

  // BadConfiguration: not absolute, no %{tenant}, an unknown placeholder, "." or ".." in it, NUL, too long.
  explicit TenantFiles(std::string_view path_template);

  // With its symlinks resolved, as far as it exists.
  [[nodiscard]] const std::filesystem::path& root() const { return root_; }
  [[nodiscard]] const std::string& path_template() const { return template_; }

  [[nodiscard]] std::filesystem::path path_for(const TenantName& name) const;
  // Where a tenant is built until its file is complete: in .building/ beneath the root, on the same file
  // system.
  [[nodiscard]] std::filesystem::path building_folder() const { return root_ / ".building"; }
  [[nodiscard]] std::filesystem::path building_path_for(const TenantName& name) const;
  [[nodiscard]] std::filesystem::path building_lock_for(const TenantName& name) const;

  // AccessRefused, which says what lies there, if the last component of path_for(name) is no file of its own, or one before it beneath
  // the root is no folder: a symlink is neither. Missing ones are no error: SQLite, which follows none either, says what is missing.
  void refuse_links(const TenantName& name) const;

  [[nodiscard]] static std::string bucket_of(const TenantName& name);

 private:
  [[nodiscard]] std::filesystem::path relative_path_for(const TenantName& name) const;

  std::string template_;
  std::string relative_template_;  // the part beneath the root
  std::filesystem::path root_;
};

}  // namespace tenure
