#pragma once

#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace tenure::detail {

// A file as one look by name sees it.
struct SeenFile {
  std::uint64_t device = 0;
  std::uint64_t number = 0;
  friend bool operator==(const SeenFile&, const SeenFile&) = default;
};

// What the look that verified a file saw of its outbox.
enum class SeenOutbox : std::uint8_t { not_looked_at, empty };

// Nothing where no regular file of one name is there.
[[nodiscard]] std::optional<SeenFile> look_at(const std::filesystem::path& path);

// The files whose stamp was found to name the tenant that they lie at, so that the next handler costs a look and not an open.
// At most 100,000 are remembered. Threads: every method from any thread.
class VerifiedFiles {
 public:
  // Whether the file that lies there now is the one that was verified.
  [[nodiscard]] bool has(const TenantName& tenant, Generation generation) const;
  // Whether the look that verified this generation's file saw an empty outbox.
  [[nodiscard]] bool was_outbox_empty(const TenantName& tenant, Generation generation) const;
  struct Look {
    SeenFile file;
    SeenOutbox outbox = SeenOutbox::not_looked_at;
  };
  void remember(const TenantName& tenant, Generation generation, const Look& look,
                const std::filesystem::path& path);

 private:
  // With the path at which it was found: to make one costs more than to look there.
  struct Verified {
    Look look;
    Generation generation;
    std::shared_ptr<const std::filesystem::path> path;
  };
  mutable std::mutex mutex_;
  std::unordered_map<TenantName, Verified> verified_;
};

}  // namespace tenure::detail
