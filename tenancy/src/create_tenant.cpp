#include "create_tenant.hpp"

#include "building.hpp"
#include "tenant_tables.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/copy.hpp>
#include <tenure/base/sqlite/database_file.hpp>
#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/sqlite/statement.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/sync_file.hpp>
#include <tenure/base/system.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_folder.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
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

constexpr mode_t kModeOfCopy = 0660;

// Of a copy that becomes another generation: what was on its way out of the one before is not this one's, and numbers begin anew, since the
// control database has taken none over.
constexpr sqlite::Query kForgetOutbox{"forget_outbox", R"sql(
  delete from main.tenure_outbox;
  delete from main.sqlite_sequence where name = 'tenure_outbox')sql"};

constexpr sqlite::Query kForgetCopied{"forget_copied", "drop table if exists main.tenure_copy"};
constexpr sqlite::Query kForgetReceipts{"forget_receipts", "delete from main.tenure_receipts"};

// "acme.3.folder" for the origin "acme.3.db", the file of a deleted tenant; nothing for any other.
std::optional<fs::path> buried_folder_of(const fs::path& origin) {
  if (origin.extension() != ".db") return std::nullopt;
  return fs::path{origin}.replace_extension(".folder");
}

class Creation {
 public:
  // `source`: a database whose copy it is to be, in place of an empty one.
  Creation(TenantRegistry& registry, const TenantFiles& files, const Clock& clock,
           const TenantsOptions& tenants, const TenantName& name, const CreateOptions& options,
           std::optional<CreationSource> source)
      : registry_(registry),
        files_(files),
        clock_(clock),
        tenants_(tenants),
        name_(name),
        options_(options),
        building_(files.building_path_for(name)),
        final_(files.path_for(name)),
        source_(std::move(source)) {}

  TenantRecord run() {
    enter(CreateStep::lock);
    make_synced_folders(files_.building_folder());
    lock_.emplace(files_.building_lock_for(name_), name_,
                  options_.wait ? WhenLocked::wait : WhenLocked::give_up);
    if (std::optional<TenantRecord> there = find_finished()) return *there;
    refuse_unknown_file();
    enter(CreateStep::begin);
    record_.emplace(value_or_raise(registry_.begin_create(name_, clock_.wall())));
    if (is_there(final_)) refuse_other_file();
    if (is_there(final_) && lock_->begun() != begun()) remove_file_of_other_origin();
    if (!is_there(final_)) build_or_take_back();
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
    if ((lock_->begun().generation != 0 && is_there(final_)) || (!companion && !is_there(final_))) return;
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
      return read_stamp(connection) == finished_stamp() &&
             lock_->begun().generation == record_->generation.value;
    }();
    if (!ours)
      raise(ErrorCode::tenant_exists,
            "a file lies where this tenant's would be, and its stamp is another one; nothing was changed",
            name_.text(), final_.string());
    const sqlite::Connection tidying{final_, {.secure_delete = true}};
  }

  // An empty file is not what a deleted tenant had, and that is not to be met by whoever begins anew. Nobody has it open: the registry
  // never said that it is active. It is gone on disk before the lock says what is built in its place.
  void remove_file_of_other_origin() const {
    give_back_folder();
    for (const std::string_view ending : kCompanions)
      if (const fs::path beside = final_.string() + std::string{ending}; is_there(beside)) remove(beside);
    remove(final_);
    sync_folder(final_.parent_path());
  }

  // That of a deleted tenant lies beside what was copied of it.
  void give_back_folder() const {
    const std::string origin = lock_->begun().source;
    if (const auto deleted = buried_folder_of(origin))
      TenantFolder(files_, name_, record_->generation).give_back(files_.root() / ".graveyard" / *deleted);
  }

  static void remove(const fs::path& path) {
    if (::unlink(path.c_str()) != 0) raise_system(errno, "the file cannot be removed", path);
  }

  void build_or_take_back() {
    try {
      lock_->note_begun(begun());
      build();
    } catch (...) {
      take_back();
      throw;
    }
  }

  void build() {
    enter(CreateStep::clean);
    remove_building_files();
    if (source_) copy_source();
    else build_database();
    require_no_companions();
    enter(CreateStep::sync_file);
    sqlite::sync_database_file(building_);  // every connection is closed by now
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
  }

  void copy_source() {
    enter(CreateStep::schema);
    if (const int error = sqlite::DatabaseFile::make(building_, kModeOfCopy); error != 0)
      raise_system(error, "the copy cannot be made", building_);
    give_to_owner_of_folder(building_);
    copy_pages();
    enter(CreateStep::stamp);
    sqlite::Connection connection{building_, {.secure_delete = true}};
    sqlite::WriteTransaction transaction{connection};
    give_to_tenant(connection, finished_stamp());
    connection.execute(kForgetOutbox);
    connection.execute(kForgetCopied);
    if (!source_->keeps_receipts) connection.execute(kForgetReceipts);
    transaction.commit();
    enter(CreateStep::close);
  }

  // A copy that rests is only read: it may lie where nobody may write, and stays the copy that it is.
  void copy_pages() const {
    const auto copy = [&](sqlite::Connection& source) {
      sqlite::copy_database(source, building_, [](const sqlite::CopyProgress&) {});
    };
    if (sqlite::look_at_file(source_->path, copy)) return;
    if (::truncate(building_.c_str(), 0) != 0)
      raise_system(errno, "the copy cannot be begun anew", building_);
    sqlite::Connection source{source_->path, {.secure_delete = true}};
    copy(source);
  }

  // The last close moves the write-ahead log into the file and removes it; a file renamed without its log is lost.
  void require_no_companions() const {
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
    if (source_ && !source_->folder.empty())
      TenantFolder(files_, name_, record_->generation).take_back(source_->folder);
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

  [[nodiscard]] Begun begun() const {
    return {record_->generation.value, source_ ? source_->origin : std::string{}};
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
  const std::optional<CreationSource> source_;
  std::optional<BuildingLock> lock_;
  std::optional<TenantRecord> record_;
};

}  // namespace

TenantRecord create_tenant(TenantRegistry& registry, const TenantFiles& files, const Clock& clock,
                           const TenantsOptions& tenants, const TenantName& name,
                           const CreateOptions& options) {
  return Creation{registry, files, clock, tenants, name, options, std::nullopt}.run();
}

TenantRecord create_tenant_from(TenantRegistry& registry, const TenantFiles& files, const Clock& clock,
                                const TenantsOptions& tenants, const TenantName& name,
                                const CreateOptions& options, const CreationSource& source) {
  return Creation{registry, files, clock, tenants, name, options, source}.run();
}

}  // namespace tenure::detail
