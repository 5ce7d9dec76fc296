#pragma once

#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

// What lies where tenants' files are, whoever has put it there.
namespace tenure::cli {

inline constexpr std::size_t kTreeLooksMax = 1'000'000;  // entries that are looked at

struct TreeFile {
  TenantName name;  // whose place it is
  std::filesystem::path path;
};

// Files at places of tenants by the template, sorted by path. What lies elsewhere beneath the root is nobody's database. Opens no file and
// follows no link.
[[nodiscard]] std::vector<TreeFile> files_of_tenants(const TenantFiles& files);

// A file that the template's text fits and that is at no tenant's place, or a link.
struct MisplacedFile {
  std::string name;  // as the path has it
  std::filesystem::path path;
  std::string why;
};
// Sorted by path. Opens no file and follows no link.
[[nodiscard]] std::vector<MisplacedFile> misplaced_files(const TenantFiles& files);

// The names in a folder of Tenure's own beneath the root, sorted; none where it is not there.
[[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& folder);

}  // namespace tenure::cli
