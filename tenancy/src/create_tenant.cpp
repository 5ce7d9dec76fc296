#include "create_tenant.hpp"

#include "tenant_tables.hpp"

#include <tenure/base/file_kind.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/sync_file.hpp>
#include <tenure/base/system.hpp>
#include <tenure/tenancy/stamp.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace tenure::detail {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kLockMode = 0660;
constexpr std::array<std::string_view, 3> kCompanions{"-wal", "-shm", "-journal"};

bool is_there(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) return true;
  if (errno != ENOENT && errno != ENOTDIR) raise_system(errno, "the path cannot be looked at", path);
  return false;
}

// `folder` and what is missing above it, each synced into its parent.
void make_synced_folders(const fs::path& folder) {
  if (is_there(folder)) {
    // A link above the tenants' root is the administrator's choice, if it leads to a folder.
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored))
      raise(ErrorCode::access_refused,
            fmt::format(
                "{} lies where a folder for tenants belongs, and leads to none; make the folder, or name "
                "another in tenants.path",
                kind_of_file_at(folder)),
            {}, folder.string());
    return;
  }
  make_synced_folders(folder.parent_path());
  static_cast<void>(make_folder(folder));
  sync_folder(folder.parent_path());
}

// .building/NAME.lock: locked by the creator at work. It goes with its creator unless that one has begun.
// What it contains tells a later creator that the file at the tenant's place was put there by a creator that
// died, and is not one that the registry has lost.
class BuildingLock {
 public:
  BuildingLock(fs::path path, const TenantName& name, WhenLocked when_locked) : path_(std::move(path)) {
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt)
      if (take(name, when_locked)) return;
    raise(ErrorCode::tenant_exists, "other creators of this tenant came and went all the time", name.text());
  }
  ~BuildingLock() {
    if (descriptor_.is_open() && begun() == 0) remove();
  }
  BuildingLock(const BuildingLock&) = delete;
  BuildingLock& operator=(const BuildingLock&) = delete;

  // The generation that a creator who died had begun; 0 if there was none.
  [[nodiscard]] std::int64_t begun() const {
    std::array<char, 24> text{};
    const ssize_t size = ::pread(descriptor_.number(), text.data(), text.size(), 0);
    std::int64_t generation = 0;
    if (size > 0) std::from_chars(text.data(), text.data() + size, generation);
    return generation;
  }
  void note_begun(Generation generation) {
    const std::string text = fmt::format("{}\n", generation.value);
    if (::ftruncate(descriptor_.number(), 0) != 0 ||
        ::pwrite(descriptor_.number(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
        ::fsync(descriptor_.number()) != 0)
      raise_system(errno, "the lock file cannot be written", path_);
    sync_folder(path_.parent_path());
  }
  // Removed while it is held, so that nobody locks a file that has no name any more and believes to be alone.
  void remove() {
    ::unlink(path_.c_str());
    descriptor_ = Descriptor{};
  }

 private:
  static constexpr int kAttemptsMax = 1000;

  bool take(const TenantName& name, WhenLocked when_locked) {
    Descriptor opened{::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kLockMode)};
    if (!opened.is_open()) raise_system(errno, "the lock file cannot be opened", path_);
    const int locked = lock_file(opened.number(), when_locked);
    if (locked == EWOULDBLOCK)
      raise(ErrorCode::tenant_exists, fmt::format("{} is being created by somebody else", name.text()),
            name.text());
    if (locked != 0) raise_system(locked, "the lock file cannot be locked", path_);
    if (!is_named(opened)) return false;
    static_cast<void>(::fchmod(opened.number(), kLockMode));
    give_to_owner_of_folder(path_);
    descriptor_ = std::move(opened);
    return true;
  }

  // False where the creator before this one has removed the file that was waited for.
  [[nodiscard]] bool is_named(const Descriptor& opened) const {
    struct stat mine {};
    struct stat named {};
    return ::fstat(opened.number(), &mine) == 0 && ::stat(path_.c_str(), &named) == 0 &&
           mine.st_ino == named.st_ino && mine.st_dev == named.st_dev;
  }

  fs::path path_;
  Descriptor descriptor_;
};

class Creation {
 public:
  Creation(TenantRegistry& registry, const TenantFiles& files, const Clock& clock,
           const TenantsOptions& tenants, const TenantName& name, const CreateOptions& options)
      : registry_(registry),
        files_(files),
        clock_(clock),
        tenants_(tenants),
        name_(name),
        options_(options),
        building_(files.building_path_for(name)),
        final_(files.path_for(name)) {}

  TenantRecord run() {
    enter(CreateStep::lock);
    make_synced_folders(files_.building_folder());
    lock_.emplace(files_.building_lock_for(name_), name_,
                  options_.wait ? WhenLocked::wait : WhenLocked::give_up);
    if (std::optional<TenantRecord> there = find_finished()) return *there;
    refuse_unknown_file();
    enter(CreateStep::begin);
    record_.emplace(value_or_raise(registry_.begin_create(name_, clock_.wall())));
    if (is_there(final_)) {
      refuse_other_file();
    } else {
      build_or_take_back();
    }
    return finish();
  }

 private:
  void enter(CreateStep step) const {
    if (options_.on_step) options_.on_step(step);
  }

  std::optional<TenantRecord> find_finished() {
    std::optional<TenantRecord> record = registry_.find(name_);
    if (!record || record->state == TenantState::provisioning || record->state == TenantState::deleted)
      return std::nullopt;
    // What another creator activated may be visible and not yet on disk.
    registry_.sync();
    enter(CreateStep::unlock);
    lock_->remove();
    if (options_.wait) return record;
    raise(ErrorCode::tenant_exists, fmt::format("{} is there and {}", name_.text(), name_of(record->state)),
          name_.text());
  }

  // A file that no creator of ours left there holds data that the registry does not know.
  void refuse_unknown_file() {
    files_.refuse_links(name_);
    const bool companion = std::ranges::any_of(kCompanions, [&](std::string_view ending) {
      return is_there(final_.string() + std::string{ending});
    });
    if ((lock_->begun() != 0 && is_there(final_)) || (!companion && !is_there(final_))) return;
    lock_->remove();
    raise(ErrorCode::tenant_exists,
          "a file lies where this tenant's would be, and the registry does not know it; nothing was changed",
          name_.text(), final_.string());
  }

  // The creator died after its rename: the file is complete, if it is that creator's. It is looked at without
  // changing a byte; whoever reads leaves a -wal behind, which goes with the close of a writer.
  void refuse_other_file() {
    const bool ours = [&] {
      sqlite::Connection connection{final_, {.access = sqlite::Access::read_only}};
      return read_stamp(connection) == finished_stamp() && lock_->begun() == record_->generation.value;
    }();
    if (!ours)
      raise(ErrorCode::tenant_exists,
            "a file lies where this tenant's would be, and its stamp is another one; nothing was changed",
            name_.text(), final_.string());
    const sqlite::Connection tidying{final_, {.secure_delete = true}};
  }

  void build_or_take_back() {
    try {
      lock_->note_begun(record_->generation);
      build();
    } catch (...) {
      take_back();
      throw;
    }
  }

  void build() {
    enter(CreateStep::clean);
    remove_building_files();
    build_database();
    enter(CreateStep::sync_file);
    sync_file(building_);  // every connection is closed by now
    enter(CreateStep::folder);
    make_synced_folders(final_.parent_path());
    files_.refuse_links(name_);
    enter(CreateStep::rename);
    if (::renameat2(AT_FDCWD, building_.c_str(), AT_FDCWD, final_.c_str(), RENAME_NOREPLACE) != 0)
      raise_system(errno, "the finished file cannot be put in its place", final_);
  }

  void build_database() {
    {
      enter(CreateStep::schema);
      sqlite::Connection connection{building_, {.access = sqlite::Access::create, .secure_delete = true}};
      Stamp stamp = finished_stamp();
      stamp.state = TenantState::provisioning;
      make_tables(connection, stamp, tenants_, clock_.wall(), [&] { enter(CreateStep::migrate); });
      enter(CreateStep::stamp);
      sqlite::WriteTransaction transaction{connection};
      write_stamp(connection, finished_stamp());
      transaction.commit();
      enter(CreateStep::close);
    }
    // The last close moves the write-ahead log into the file and removes it; a file renamed without its log
    // is lost.
    for (const std::string_view ending : kCompanions)
      if (is_there(building_.string() + std::string{ending}))
        raise(ErrorCode::disk, "the write-ahead log could not be moved into the new file", name_.text(),
              building_.string());
  }

  // From the rename on nothing is taken back: the file is complete, and the next creator goes on from here.
  TenantRecord finish() {
    enter(CreateStep::sync_folder);
    sync_folder(final_.parent_path());
    sync_folder(files_.building_folder());
    enter(CreateStep::activate);
    value_or_raise(registry_.activate(name_, record_->generation));
    record_->state = TenantState::active;
    enter(CreateStep::unlock);
    lock_->remove();
    return *record_;
  }

  void take_back() noexcept {
    try {
      remove_building_files();
      registry_.abandon_create(name_, record_->generation);
      lock_->remove();
    } catch (const std::exception& error) {
      log::write(log::Level::warning, "tenant.create_not_taken_back",
                 "a failed creation left its registry row; the next create of that name goes on from there",
                 {.error = error.what()});
    }
  }

  void remove_building_files() const {
    std::error_code error;
    fs::remove(building_, error);
    for (const std::string_view ending : kCompanions)
      fs::remove(building_.string() + std::string{ending}, error);
  }

  [[nodiscard]] Stamp finished_stamp() const {
    return first_stamp(name_, record_->generation, tenants_.application);
  }

  TenantRegistry& registry_;
  const TenantFiles& files_;
  const Clock& clock_;
  const TenantsOptions& tenants_;
  const TenantName& name_;
  const CreateOptions& options_;
  const fs::path building_;
  const fs::path final_;
  std::optional<BuildingLock> lock_;
  std::optional<TenantRecord> record_;
};

}  // namespace

TenantRecord create_tenant(TenantRegistry& registry, const TenantFiles& files, const Clock& clock,
                           const TenantsOptions& tenants, const TenantName& name,
                           const CreateOptions& options) {
  return Creation{registry, files, clock, tenants, name, options}.run();
}

}  // namespace tenure::detail
