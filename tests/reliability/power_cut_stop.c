/* Stops a mounted ext4 at once, as a power cut would: what has not reached the device never will.
 *
 * usage: power_cut_stop FOLDER RECORD
 *   FOLDER  the mount point; whatever is not the root of an ext4 is refused
 *   RECORD  a file elsewhere; its size in the moment before the stop is printed. What the load adds to it later was
 *           promised by a machine without power: a sync that is under way while the file system's journal is thrown
 *           away may answer 0 and have written nothing.
 * Exit: 0 stopped, and seen to refuse a new file; 1 otherwise. Needs CAP_SYS_ADMIN.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The kernel's public numbers, which no header of user space carries. */
#define SHUT_EXT4_DOWN _IOR('X', 125, uint32_t)
static const uint32_t kWithoutWritingItsJournal = 2;
static const long kExt4 = 0xEF53;

static int complain(const char* what) {
  fprintf(stderr, "power_cut_stop: %s: %s\n", what, strerror(errno));
  return 1;
}

static int is_root_of_ext4(int folder) {
  struct statfs system;
  struct stat own, parent;
  return fstatfs(folder, &system) == 0 && system.f_type == kExt4 && fstat(folder, &own) == 0 &&
         fstatat(folder, "..", &parent, 0) == 0 && own.st_dev != parent.st_dev;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fputs("usage: power_cut_stop FOLDER RECORD\n", stderr);
    return 1;
  }
  const int folder = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return complain(argv[1]);
  if (!is_root_of_ext4(folder)) {
    fprintf(stderr, "power_cut_stop: %s is not the root of a mounted ext4\n", argv[1]);
    return 1;
  }
  /* The kernel tells the console first, and a slow console gives the load milliseconds in which to promise more. */
  enum { console_off = 6, console_on = 7 };
  const int silenced = klogctl(console_off, NULL, 0) == 0;
  struct stat record;
  uint32_t how = kWithoutWritingItsJournal;
  const int stopped = stat(argv[2], &record) == 0 && ioctl(folder, SHUT_EXT4_DOWN, &how) == 0;
  const int error = errno;
  if (silenced) klogctl(console_on, NULL, 0);
  errno = error;
  if (!stopped) return complain("the file system was not stopped");
  if (mkdirat(folder, "after-the-cut", 0700) == 0) {
    fputs("power_cut_stop: the file system still takes a new folder\n", stderr);
    return 1;
  }
  printf("%lld\n", (long long)record.st_size);
  return 0;
}
