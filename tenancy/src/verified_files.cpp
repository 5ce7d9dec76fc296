#include "verified_files.hpp"

#include <sys/stat.h>

namespace tenure::detail {

std::optional<SeenFile> look_at(const std::filesystem::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || status.st_nlink != 1)
    return std::nullopt;
  return SeenFile{status.st_dev, status.st_ino};
}

bool VerifiedFiles::has(const TenantName& tenant, Generation generation) const {
  Verified known;
  {
    const std::lock_guard lock{mutex_};
    const auto found = verified_.find(tenant);
    if (found == verified_.end() || found->second.generation != generation) return false;
    known = found->second;
  }
  return look_at(*known.path) == known.look.file;
}

bool VerifiedFiles::was_outbox_empty(const TenantName& tenant, Generation generation) const {
  const std::lock_guard lock{mutex_};
  const auto found = verified_.find(tenant);
  return found != verified_.end() && found->second.generation == generation &&
         found->second.look.outbox == SeenOutbox::empty;
}

void VerifiedFiles::remember(const TenantName& tenant, Generation generation, const Look& look,
                             const std::filesystem::path& path) {
  constexpr std::size_t kVerifiedMax = 100'000;
  const std::lock_guard lock{mutex_};
  if (verified_.size() >= kVerifiedMax) verified_.clear();
  verified_.insert_or_assign(tenant,
                             Verified{look, generation, std::make_shared<const std::filesystem::path>(path)});
}

}  // namespace tenure::detail
