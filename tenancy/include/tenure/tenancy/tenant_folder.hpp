#pragma once

#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace tenure {

// The folder in which a tenant keeps files of its own besides its database: .folders/NAME.GENERATION beneath the tenants' root. It comes
// into being with the first folder that is made in it, goes to the graveyard with its database, and belongs to one generation, so that who comes
// under the name later meets nothing of it. Threads: const methods from any.
class TenantFolder {
 public:
  static constexpr std::size_t kNameMax = 512;  // bytes of a folder's name
  static constexpr std::size_t kPartMax = 255;  // of each part
  static constexpr std::size_t kPartsMax = 16;  // between its slashes

  TenantFolder(const TenantFiles& files, const TenantName& tenant, Generation generation);

  // Nothing has been looked at.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Where it lies once its tenant is deleted.
  [[nodiscard]] const std::filesystem::path& buried_path() const { return buried_; }

  // BadOptions, which says why: empty, absolute, ".." or "." in it, an empty part, no UTF-8, control characters, too long.
  static void check(std::string_view name);

  // Whether path() / name is there. `name` is one that check() lets pass. AccessRefused where a link, or something else than a folder, lies
  // on the way beneath the root, whoever put it there since; DiskError.
  [[nodiscard]] bool has(std::string_view name) const;
  // Makes it and what is missing above, on disk, for whoever may use the tenants' root. What has() says.
  void make(std::string_view name) const;

  // Of path(); the bytes of all files in it, 0 where it is not there.
  struct Moved {
    bool is_there = false;
    std::int64_t size_bytes = 0;
  };
  // To buried_path(), with its tenant's database, and once more it is the same. DiskError, AccessRefused.
  Moved bury() const;
  // From `buried`, the buried_path() of another generation, to path(), and the way back; nothing where it is not there. The same.
  void take_back(const std::filesystem::path& buried) const;
  void give_back(const std::filesystem::path& buried) const;
  // Removes what lies at buried_path() and, made there since, at path(), following no link; how many bytes that were. DiskError,
  // AccessRefused: of one that stays, and the other one is gone all the same.
  std::int64_t erase() const;

 private:
  std::filesystem::path root_;
  TenantName tenant_;
  std::filesystem::path relative_;  // of path_, to the root
  std::filesystem::path path_;
  std::filesystem::path buried_;
};

}  // namespace tenure
