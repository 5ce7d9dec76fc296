/* Preloaded into processes (LD_PRELOAD), kills the one that comes first to its nth write, sync, truncation, rename or removal of a file
 * below a folder, before it is carried out.
 *
 *   KILL_POINT_FILES    the beginning of the names of the files that count
 *   KILL_POINT_PROGRAM  the program that is to be killed, as the kernel names it
 *   KILL_POINT_NUMBER   which one of its calls
 *   KILL_POINT_TOKEN    a file that must not be there; who makes it is killed, and it says by which call. Once it is there nobody is.
 *
 * SQLite and the C++ library call these functions through the dynamic linker. Threads: any.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;

static int is_victim(void) {
  static atomic_int known; /* 0 not asked yet, 1 no, 2 yes */
  if (known == 0) {
    const char* const program = getenv("KILL_POINT_PROGRAM");
    known = program != NULL && strcmp(program, program_invocation_short_name) == 0 ? 2 : 1;
  }
  return known == 2;
}

static int counts(const char* path) {
  const char* const files = getenv("KILL_POINT_FILES");
  return files != NULL && strncmp(path, files, strlen(files)) == 0;
}

/* By system calls: what is counted must not count itself. */
static void die(const char* call) {
  const char* const token = getenv("KILL_POINT_TOKEN");
  const int file = token == NULL ? -1 : open(token, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return;
  if (syscall(SYS_write, file, call, strlen(call)) < 0) abort();
  syscall(SYS_kill, getpid(), SIGKILL);
}

static void pass(const char* call) {
  const char* const number = getenv("KILL_POINT_NUMBER");
  if (number != NULL && atomic_fetch_add(&calls, 1) + 1 == atol(number)) die(call);
}

static void pass_descriptor(int descriptor, const char* call) {
  if (!is_victim()) return;
  const int before = errno;
  char link[32], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t size = readlink(link, path, sizeof path - 1);
  if (size > 0) {
    path[size] = 0;
    if (counts(path)) pass(call);
  }
  errno = before;
}

static void pass_path(const char* path, const char* call) {
  if (is_victim() && counts(path)) pass(call);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t pwrite64(int descriptor, const void* from, size_t size, off64_t at) {
  pass_descriptor(descriptor, "write");
  return NEXT(pwrite64)(descriptor, from, size, at);
}

ssize_t pwrite(int descriptor, const void* from, size_t size, off_t at) {
  pass_descriptor(descriptor, "write");
  return NEXT(pwrite)(descriptor, from, size, at);
}

int fdatasync(int descriptor) {
  pass_descriptor(descriptor, "sync");
  return NEXT(fdatasync)(descriptor);
}

int fsync(int descriptor) {
  pass_descriptor(descriptor, "sync");
  return NEXT(fsync)(descriptor);
}

int ftruncate64(int descriptor, off64_t size) {
  pass_descriptor(descriptor, "truncate");
  return NEXT(ftruncate64)(descriptor, size);
}

int ftruncate(int descriptor, off_t size) {
  pass_descriptor(descriptor, "truncate");
  return NEXT(ftruncate)(descriptor, size);
}

int rename(const char* from, const char* to) {
  pass_path(from, "rename");
  return NEXT(rename)(from, to);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  pass_path(from, "rename");
  return NEXT(renameat2)(from_folder, from, to_folder, to, flags);
}

int unlink(const char* path) {
  pass_path(path, "remove");
  return NEXT(unlink)(path);
}
