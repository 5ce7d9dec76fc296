/* Preloaded into processes (LD_PRELOAD), writes down who opens databases: a line "PROGRAM LIBRARY PATH" for each name with ".db" in it
 * that is opened, of the program as the kernel names it and of the library whose code has called. A descriptor by O_PATH is none.
 *
 *   OPEN_WATCH_LOG          the file that the lines are added to
 *   OPEN_WATCH_HIDDEN       the beginning of names that are not there for one program
 *   OPEN_WATCH_HIDDEN_FROM  that program
 *
 * SQLite and the C++ library call these functions through the dynamic linker. Threads: any.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static const char* last_part(const char* path) {
  const char* const slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}

/* By system calls: what is written down must not be written down again. */
static void note(const char* path, int flags, const void* caller) {
  const char* const log = getenv("OPEN_WATCH_LOG");
  if (log == NULL || (flags & O_PATH) != 0 || strstr(last_part(path), ".db") == NULL) return;
  const int before = errno;
  Dl_info info;
  const char* const library = dladdr(caller, &info) != 0 && info.dli_fname != NULL ? info.dli_fname : "?";
  char line[8192];
  const int size =
      snprintf(line, sizeof line, "%s %s %s\n", program_invocation_short_name, last_part(library), path);
  const long file = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file >= 0) {
    if (syscall(SYS_write, file, line, (size_t)size) != size) abort();
    syscall(SYS_close, file);
  }
  errno = before;
}

static int is_hidden(const char* path) {
  const char* const hidden = getenv("OPEN_WATCH_HIDDEN");
  const char* const from = getenv("OPEN_WATCH_HIDDEN_FROM");
  if (hidden == NULL || from == NULL || strcmp(from, program_invocation_short_name) != 0) return 0;
  if (strncmp(path, hidden, strlen(hidden)) != 0) return 0;
  errno = ENOENT;
  return 1;
}

static mode_t mode_of(int flags, va_list more) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPENS(name)                                              \
  int name(const char* path, int flags, ...) {                   \
    va_list more;                                                \
    va_start(more, flags);                                       \
    const mode_t mode = mode_of(flags, more);                    \
    va_end(more);                                                \
    note(path, flags, __builtin_return_address(0));              \
    return is_hidden(path) ? -1 : NEXT(name)(path, flags, mode); \
  }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name)                                                   \
  int name(int folder, const char* path, int flags, ...) {               \
    va_list more;                                                        \
    va_start(more, flags);                                               \
    const mode_t mode = mode_of(flags, more);                            \
    va_end(more);                                                        \
    note(path, flags, __builtin_return_address(0));                      \
    return is_hidden(path) ? -1 : NEXT(name)(folder, path, flags, mode); \
  }
OPENS_AT(openat)
OPENS_AT(openat64)

#define OPENS_STREAM(name)                                  \
  FILE* name(const char* path, const char* mode) {          \
    note(path, 0, __builtin_return_address(0));             \
    return is_hidden(path) ? NULL : NEXT(name)(path, mode); \
  }
OPENS_STREAM(fopen)
OPENS_STREAM(fopen64)

#define MAKES(name)                                       \
  int name(const char* path, mode_t mode) {               \
    note(path, 0, __builtin_return_address(0));           \
    return is_hidden(path) ? -1 : NEXT(name)(path, mode); \
  }
MAKES(creat)
MAKES(creat64)
