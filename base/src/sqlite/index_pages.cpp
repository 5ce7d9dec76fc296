#include "index_pages.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>

namespace tenure::sqlite {
namespace {

// Not posix_fallocate(): where the file system cannot, that writes into pages which other processes are writing to.
bool is_reserved(int descriptor, off_t offset, std::size_t size) {
  int failed = 0;
  do failed = ::fallocate(descriptor, FALLOC_FL_KEEP_SIZE, offset, static_cast<off_t>(size));
  while (failed != 0 && errno == EINTR);
  return failed == 0 || (errno != ENOSPC && errno != EDQUOT);
}

void* map_reserved(void* address, std::size_t size, int protection, int flags, int descriptor, off_t offset) {
  const bool is_written_to = (protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0;
  if (is_written_to && !is_reserved(descriptor, offset, size)) return MAP_FAILED;
  return ::mmap(address, size, protection, flags, descriptor, offset);
}

}  // namespace

// https://sqlite.org/c3ref/vfs.html: the "unix" VFS and those that build on it call the system through this table.
void reserve_pages_of_indexes() {
  sqlite3_vfs* const vfs = sqlite3_vfs_find("unix");
  if (vfs == nullptr || vfs->iVersion < 3) return;
  vfs->xSetSystemCall(vfs, "mmap", reinterpret_cast<sqlite3_syscall_ptr>(&map_reserved));
}

}  // namespace tenure::sqlite
