#include "shim_vfs.hpp"

#include "sqlite/library.hpp"

#include <sqlite3.h>

#include <new>
#include <utility>

namespace tenure::testing {

struct ShimVfs::Impl {
  Hook hook;
  sqlite3_vfs* real;
  sqlite3_vfs shim;

  int ask(const Event& event) const {
    thread_local bool inside = false;
    if (inside || !hook) return SQLITE_OK;
    inside = true;
    const int code = hook(event);
    inside = false;
    return code;
  }
  static int open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* flags_out);
  static int remove_file(sqlite3_vfs* vfs, const char* path, int sync_folder);
};

namespace {

using Call = ShimVfs::Call;
using File = ShimVfs::File;

// What SQLite holds as an open file: ours first, the real one right behind it in the same memory.
struct ShimFile {
  sqlite3_file base;
  const void* owner;
  int (*ask)(const void* owner, const ShimVfs::Event& event);
  const char* path;  // SQLite keeps it as long as the file is open
  File kind;

  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

ShimFile& shim_of(sqlite3_file* file) { return *reinterpret_cast<ShimFile*>(file); }
sqlite3_file* real_of(sqlite3_file* file) { return shim_of(file).real(); }
const sqlite3_io_methods& methods_of(sqlite3_file* file) { return *real_of(file)->pMethods; }

int ask(sqlite3_file* file, Call call, std::string_view bytes = {}, std::int64_t offset = 0) {
  ShimFile& shim = shim_of(file);
  return shim.ask(shim.owner,
                  {call, shim.kind, shim.path == nullptr ? std::string_view{} : shim.path, bytes, offset});
}

int close_file(sqlite3_file* file) { return methods_of(file).xClose(real_of(file)); }
int read_file(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
  if (const int code = ask(file, Call::read); code != SQLITE_OK) return code;
  return methods_of(file).xRead(real_of(file), data, size, offset);
}
int write_file(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  if (const int code =
          ask(file, Call::write, {static_cast<const char*>(data), static_cast<std::size_t>(size)}, offset);
      code != SQLITE_OK)
    return code;
  return methods_of(file).xWrite(real_of(file), data, size, offset);
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  if (const int code = ask(file, Call::truncate, {}, size); code != SQLITE_OK) return code;
  return methods_of(file).xTruncate(real_of(file), size);
}
int sync_file(sqlite3_file* file, int flags) {
  if (const int code = ask(file, Call::sync); code != SQLITE_OK)
    return code == ShimVfs::kLeftOut ? SQLITE_OK : code;
  return methods_of(file).xSync(real_of(file), flags);
}
int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return methods_of(file).xFileSize(real_of(file), size);
}
int lock_file(sqlite3_file* file, int level) { return methods_of(file).xLock(real_of(file), level); }
int unlock_file(sqlite3_file* file, int level) { return methods_of(file).xUnlock(real_of(file), level); }
int check_reserved(sqlite3_file* file, int* reserved) {
  return methods_of(file).xCheckReservedLock(real_of(file), reserved);
}
int file_control(sqlite3_file* file, int operation, void* argument) {
  return methods_of(file).xFileControl(real_of(file), operation, argument);
}
int sector_size(sqlite3_file* file) { return methods_of(file).xSectorSize(real_of(file)); }
int characteristics(sqlite3_file* file) { return methods_of(file).xDeviceCharacteristics(real_of(file)); }
int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
  return methods_of(file).xShmMap(real_of(file), page, size, extend, memory);
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return methods_of(file).xShmLock(real_of(file), offset, count, flags);
}
void shm_barrier(sqlite3_file* file) { methods_of(file).xShmBarrier(real_of(file)); }
int shm_unmap(sqlite3_file* file, int remove) { return methods_of(file).xShmUnmap(real_of(file), remove); }
int fetch(sqlite3_file* file, sqlite3_int64 offset, int size, void** memory) {
  return methods_of(file).xFetch(real_of(file), offset, size, memory);
}
int unfetch(sqlite3_file* file, sqlite3_int64 offset, void* memory) {
  if (const int code = ask(file, Call::unfetch); code != SQLITE_OK) return code;
  return methods_of(file).xUnfetch(real_of(file), offset, memory);
}

constexpr sqlite3_io_methods kMethods{
    3,         close_file,  read_file,      write_file,   truncate_file, sync_file,       file_size,
    lock_file, unlock_file, check_reserved, file_control, sector_size,   characteristics, shm_map,
    shm_lock,  shm_barrier, shm_unmap,      fetch,        unfetch,
};

File kind_of(int flags) {
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0) return File::database;
  if ((flags & SQLITE_OPEN_WAL) != 0) return File::wal;
  return File::other;
}

}  // namespace

int ShimVfs::Impl::open_file(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags,
                             int* flags_out) {
  const auto* impl = static_cast<const Impl*>(vfs->pAppData);
  ShimFile& shim = *new (file) ShimFile{};
  const auto ask = [](const void* owner, const Event& event) {
    return static_cast<const Impl*>(owner)->ask(event);
  };
  shim.owner = impl;
  shim.ask = ask;
  shim.path = path;
  shim.kind = kind_of(flags);
  const int code = impl->real->xOpen(impl->real, path, shim.real(), flags, flags_out);
  if (shim.real()->pMethods != nullptr)
    shim.base.pMethods = &kMethods;  // then SQLite closes it, also after a failure
  return code;
}

int ShimVfs::Impl::remove_file(sqlite3_vfs* vfs, const char* path, int sync_folder) {
  const auto* impl = static_cast<const Impl*>(vfs->pAppData);
  if (const int code = impl->ask({Call::remove, File::other, path}); code != SQLITE_OK) return code;
  return impl->real->xDelete(impl->real, path, sync_folder);
}

ShimVfs::ShimVfs(Hook hook) : impl_(new Impl{std::move(hook), nullptr, {}}) {
  sqlite::start_library();  // it configures SQLite, which it could not do later
  impl_->real = sqlite3_vfs_find("unix");
  sqlite3_vfs& shim = impl_->shim;
  shim = *impl_->real;  // only opening looks at the VFS that it is called with
  shim.zName = "tenure-shim";
  shim.pNext = nullptr;
  shim.szOsFile = static_cast<int>(sizeof(ShimFile)) + impl_->real->szOsFile;
  shim.pAppData = impl_.get();
  shim.xOpen = &Impl::open_file;
  shim.xDelete = &Impl::remove_file;
  sqlite3_vfs_register(&shim, 1);
}

ShimVfs::~ShimVfs() { sqlite3_vfs_unregister(&impl_->shim); }

}  // namespace tenure::testing
