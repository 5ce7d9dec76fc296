#include "capsule_rows.hpp"
#include "files.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/system.hpp>
#include <tenure/replay/capsule.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tenure::replay {
namespace {

namespace fs = std::filesystem;

void copy_bytes(const fs::path& from, const fs::path& to) {
  const Descriptor source{::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!source.is_open()) raise_system(errno, "the capsule cannot be read", from);
  const Descriptor target{::open(to.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!target.is_open()) raise_system(errno, "the copy cannot be written", to);
  constexpr std::size_t kAtOnce = 1UL << 20U;
  while (true) {
    const ssize_t bytes = ::sendfile(target.number(), source.number(), nullptr, kAtOnce);
    if (bytes == 0) return;
    if (bytes < 0 && errno != EINTR) raise_system(errno, "the capsule cannot be copied", to);
  }
}

// Of the copy, which nobody can change any more.
void verify_copy(const fs::path& capsule, const fs::path& copy, const TenantName& tenant) {
  try {
    if (read_capsule(copy).head.job.tenant == tenant) return;
  } catch (const Error& error) {  // it is the capsule that is meant
    Failure failure = error.failure();
    failure.where = capsule.string();
    raise(std::move(failure));
  }
  raise(ErrorCode::database_damaged, "the capsule was exchanged while it was read", {}, capsule.string());
}

}  // namespace

void restore_tenant(const fs::path& capsule, const TenantFiles& files) {
  const TenantName tenant = read_head(capsule).job.tenant.value();
  const fs::path place = files.path_for(tenant);
  files.refuse_links(tenant);
  if (fs::exists(fs::symlink_status(place)))
    raise(ErrorCode::tenant_exists,
          "a database of that tenant lies there already; a capsule is restored "
          "below a root of its own",
          tenant.text(), place.string());
  make_folders(files.building_folder());
  make_folders(place.parent_path());
  // It becomes a database when it has its name: until then descriptors of ours hold its lock and fill it.
  Unfinished made(files.building_path_for(tenant).replace_extension(kPartEnding));
  copy_bytes(capsule, made.path());
  verify_copy(capsule, made.path(), tenant);
  {
    sqlite::Connection connection(made.path(), {.access = sqlite::Access::alone});
    drop_capsule_tables(connection);
  }
  // As a tenant's file is found: with a log as its journal, and none beside it.
  { const sqlite::Connection connection(made.path(), {.access = sqlite::Access::read_write}); }
  made.keep_as(place, [] {});
}

}  // namespace tenure::replay
