/* Preloaded into a process (LD_PRELOAD), makes one kind of call fail with EIO on files below a folder, for as long as a file says so.
 *
 *   TROUBLE_FOLDER  the folder
 *   TROUBLE_FLAG    the file; its first line names the call: read, write or sync. Nothing fails while it is not there.
 *   TROUBLE_HITS    gets a byte for each call that failed
 *
 * SQLite calls these functions through the dynamic linker, so no disk need be broken. Threads: any.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int says(const char* flag, const char* call) {
  char text[16] = {0};
  const int file = open(flag, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t (*const plain_read)(int, void*, size_t) = (ssize_t(*)(int, void*, size_t))dlsym(RTLD_NEXT, "read");
  const ssize_t size = plain_read(file, text, sizeof text - 1);
  close(file);
  return size > 0 && strncmp(text, call, strlen(call)) == 0;
}

static int is_below(int descriptor, const char* folder) {
  char link[32], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = 0;
  return strncmp(path, folder, strlen(folder)) == 0;
}

static void count(void) {
  const char* const hits = getenv("TROUBLE_HITS");
  const int file = hits == NULL ? -1 : open(hits, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  if (write(file, "x", 1) != 1) abort();
  close(file);
}

static int fails(int descriptor, const char* call) {
  const char* const flag = getenv("TROUBLE_FLAG");
  const char* const folder = getenv("TROUBLE_FOLDER");
  if (flag == NULL || folder == NULL || access(flag, F_OK) != 0) return 0;
  const int before = errno;
  const int found = says(flag, call) && is_below(descriptor, folder);
  if (found) count();
  errno = found ? EIO : before;
  return found;
}

ssize_t pread64(int descriptor, void* into, size_t size, off64_t at) {
  static ssize_t (*_Atomic next)(int, void*, size_t, off64_t);
  if (next == NULL) next = (ssize_t(*)(int, void*, size_t, off64_t))dlsym(RTLD_NEXT, "pread64");
  return fails(descriptor, "read") ? -1 : next(descriptor, into, size, at);
}

ssize_t pwrite64(int descriptor, const void* from, size_t size, off64_t at) {
  static ssize_t (*_Atomic next)(int, const void*, size_t, off64_t);
  if (next == NULL) next = (ssize_t(*)(int, const void*, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
  return fails(descriptor, "write") ? -1 : next(descriptor, from, size, at);
}

int fdatasync(int descriptor) {
  static int (*_Atomic next)(int);
  if (next == NULL) next = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  return fails(descriptor, "sync") ? -1 : next(descriptor);
}

int fsync(int descriptor) {
  static int (*_Atomic next)(int);
  if (next == NULL) next = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return fails(descriptor, "sync") ? -1 : next(descriptor);
}
