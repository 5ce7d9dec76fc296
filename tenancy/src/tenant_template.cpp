#include "tenant_tables.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/system.hpp>
#include <tenure/tenancy/tenant_template.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tenure {
namespace {

constexpr mode_t kFileMode = 0660;

void write_new_file(const std::filesystem::path& path, std::string_view content) {
  const Descriptor file{
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kFileMode)};
  if (!file.is_open()) raise_system(errno, "the file of the tenant cannot be made", path);
  while (!content.empty()) {
    const ssize_t size = ::write(file.number(), content.data(), content.size());
    if (size < 0 && errno != EINTR) raise_system(errno, "the file of the tenant cannot be written", path);
    if (size > 0) content.remove_prefix(static_cast<std::size_t>(size));
  }
}

std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Whatever becomes of the template.
class RemovedAtEnd {
 public:
  explicit RemovedAtEnd(std::filesystem::path path) : path_(std::move(path)) {}
  ~RemovedAtEnd() {
    std::error_code ignored;
    for (const char* const ending : {"", "-wal", "-shm"})
      std::filesystem::remove(path_.string() + ending, ignored);
  }
  RemovedAtEnd(const RemovedAtEnd&) = delete;
  RemovedAtEnd& operator=(const RemovedAtEnd&) = delete;

 private:
  std::filesystem::path path_;
};

}  // namespace

TenantTemplate::TenantTemplate(const std::filesystem::path& folder, TenantsOptions options, WallTime now)
    : application_(std::move(options.application)) {
  const std::filesystem::path path = folder / "template.db";
  const RemovedAtEnd removed(path);
  {
    sqlite::Connection connection{path, {.access = sqlite::Access::create, .secure_delete = true}};
    // Of no tenant that may be used: a copy that was not given to one is refused.
    Stamp stamp = detail::first_stamp(TenantName{"template"}, Generation{1}, application_);
    stamp.state = TenantState::provisioning;
    detail::make_tables(connection, stamp, options, now, [] {});
  }
  content_ = content_of(path);  // the last close has moved its log into it
}

TenantRecord TenantTemplate::make(TenantRegistry& registry, const TenantFiles& files, const TenantName& name,
                                  WallTime now) const {
  const std::filesystem::path path = files.path_for(name);
  if (std::filesystem::exists(path))
    raise(ErrorCode::tenant_exists, fmt::format("a file lies where {} would be", name.text()), name.text(),
          path.string());
  TenantRecord record = value_or_raise(registry.begin_create(name, now));
  try {
    put_file(path, name, record.generation);
  } catch (...) {
    const RemovedAtEnd removed(path);
    registry.abandon_create(name, record.generation);
    throw;
  }
  value_or_raise(registry.activate(name, record.generation));
  record.state = TenantState::active;
  return record;
}

void TenantTemplate::put_file(const std::filesystem::path& path, const TenantName& name,
                              Generation generation) const {
  std::filesystem::create_directories(path.parent_path());
  write_new_file(path, content_);
  sqlite::Connection connection{path, {.secure_delete = true}};
  sqlite::WriteTransaction transaction{connection};
  give_to_tenant(connection, detail::first_stamp(name, generation, application_));
  transaction.commit();
}

}  // namespace tenure
