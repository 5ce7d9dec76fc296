#pragma once

#include <tenure/base/system.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

// How a tenant's file comes to its place and leaves it. Internal.
namespace tenure::detail {

inline constexpr std::array<std::string_view, 3> kCompanions{"-wal", "-shm", "-journal"};

// Whatever it is; a link is not followed.
[[nodiscard]] bool is_there(const std::filesystem::path& path);

// `folder` and what is missing above it, each synced into its parent.
void make_synced_folders(const std::filesystem::path& folder);

// A creation. As text: "4\n", or "4 acme.3.db\n".
struct Begun {
  std::int64_t generation = 0;  // 0: there is none
  std::string source;           // the name of the file that is copied; empty where the tenant begins empty

  friend bool operator==(const Begun&, const Begun&) = default;
};
// What stands in a lock file, whoever has it; nothing begun where there is none, or it cannot be read.
[[nodiscard]] Begun read_begun(const std::filesystem::path& lock);

// .building/NAME.lock: locked by whoever makes a tenant of that name, or takes its file away. It goes with its creator unless that one has
// begun. What it contains tells a later creator that the file at the tenant's place was put there by a creator that died, and is not one
// that the registry has lost; and of what that creator made it: a copy of a deleted tenant's file is no empty one.
class BuildingLock {
 public:
  // TenantExists where somebody else has it and it is not to be waited for.
  BuildingLock(std::filesystem::path path, const TenantName& name, WhenLocked when_locked);
  ~BuildingLock();
  BuildingLock(const BuildingLock&) = delete;
  BuildingLock& operator=(const BuildingLock&) = delete;

  // What a creator who died had begun.
  [[nodiscard]] Begun begun() const;
  void note_begun(const Begun& begun);
  // Removed while it is held, so that nobody locks a file that has no name any more and believes to be alone.
  void remove();

 private:
  static constexpr int kAttemptsMax = 1000;

  bool take(const TenantName& name, WhenLocked when_locked);
  // False where the creator before this one has removed the file that was waited for.
  [[nodiscard]] bool is_named(const Descriptor& opened) const;

  std::filesystem::path path_;
  Descriptor descriptor_;
};

}  // namespace tenure::detail
