#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/tenancy/outbox.hpp>
#include <tenure/tenancy/registry.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tenure {

// The steps by which a tenant's file leaves its place, in their order, for tests that stop it at each of them.
enum class BurialStep : std::uint8_t {
  lock = 1,    // .building/NAME.lock
  stamp = 2,   // deleted: from this commit on nobody's handle commits
  log = 3,     // moved into the file, as far as no reader is in the way
  folder = 4,  // .graveyard
  rename = 5,
  companions = 6,  // the rest of the log goes with it
  sync_folders = 7,
  own_folder = 8,  // .folders/NAME.GENERATION goes with it
};

struct BuriedFile {
  std::string name;  // "acme.3.db"; "acme.3.folder": the tenant's folder, with all that is in it
  std::int64_t size_bytes = 0;
};
struct Burial {
  std::vector<BuriedFile> files;  // none: the tenant's file was missing
  [[nodiscard]] std::int64_t size_bytes() const;
};

// Where the files of deleted tenants lie until they are erased: .graveyard/NAME.GENERATION.db beneath the tenants' root, on the same file
// system, and beside it NAME.GENERATION.folder, what handlers have put into the tenant's folder. It knows files and stamps and not what the registry says; each of its verbs goes on where a crash has left it.
// Threads: const methods from any; what is done to one tenant is in turn, also between processes.
class Graveyard {
 public:
  // Called before each step; what it throws ends the burial there.
  using OnStep = std::function<void(BurialStep)>;

  // `wait_max`: for the writers' lock of a tenant's file.
  Graveyard(TenantFiles files, std::string application,
            std::chrono::milliseconds wait_max = std::chrono::seconds{5});

  // A look before anything else of the tenant is given up: raises what bury would of the file's links and stamp. A file that is missing is
  // none of that. Not beside handles of this process to the file.
  void require_buriable(const TenantName& tenant, Generation generation) const;
  // The first part of bury: behind it nobody writes, and the file is where it was. Nothing is done where it is not there (any more).
  void close(const TenantName& tenant, Generation generation) const;
  // Of a file that is closed, wherever it lies: what stands in its outbox behind `after`, as read_outbox says (outbox.hpp). It is on disk.
  // Nothing where the file is missing.
  [[nodiscard]] OutboxPage outbox_behind(const TenantName& tenant, Generation generation, std::int64_t after,
                                         std::size_t count_max, std::size_t bytes_max) const;
  // Closes the stamp in a write transaction, and takes the file away. Where only a log is left of the file, that goes there. Behind it no handle of any process commits, also not one that was
  // opened before and goes on later; who reads on sees what was there. WrongTenant and StaleGeneration where the file is not this
  // tenant's; TenantBusy where somebody holds its writers' lock; DatabaseDamaged. Then nothing was changed.
  // `unreadable`: whether a damaged file, whose stamp nobody can read, is taken away as it is. That is done under the writers' lock, and
  // whoever has the file open and its stamp in memory commits nothing behind it either: DatabaseMoved.
  enum class Unreadable : std::uint8_t { refuse, move };
  [[nodiscard]] Burial bury(const TenantName& tenant, Generation generation, const OnStep& on_step = nullptr,
                            Unreadable unreadable = Unreadable::refuse) const;
  // Whether its file lies there, whole.
  [[nodiscard]] bool has(const TenantName& tenant, Generation generation) const;
  // Makes the tenant again, in a new generation, with a copy of the database that lies there, which stays, and with its folder. What an interrupted Tenants::create has left at
  // its place is not taken for it. What Tenants::create says besides.
  TenantRecord take_back(const TenantName& tenant, Generation generation, TenantRegistry& registry,
                         const Clock& clock) const;
  // Removes the lock of a take_back that was killed behind its end. Nothing is done where there is none, or somebody has it.
  void remove_lock_of_interrupted(const TenantName& tenant) const;
  // Removes what lies there; how many bytes that were. 0 where there was nothing. A folder that cannot be removed stays, with a line in
  // the log.
  std::int64_t erase(const TenantName& tenant, Generation generation) const;

  [[nodiscard]] std::filesystem::path path_for(const TenantName& tenant, Generation generation) const;

 private:
  TenantFiles files_;
  std::string application_;
  std::chrono::milliseconds wait_max_;
};

}  // namespace tenure
