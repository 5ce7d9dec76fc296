#include <tenure/daemon/control_lock.hpp>
#include <tenure/queue/dispatcher_lock.hpp>

#include <atomic>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tenure::daemon {
namespace {

// The file's text is one of these words, a blank and the boot.
constexpr std::string_view kAtWork = "at-work";
constexpr std::string_view kLeaving = "leaving";
static_assert(kAtWork.size() == kLeaving.size(), "the one is written over the other");
constexpr std::size_t kTextMax = 128;

// Of the process that holds a lock. A child of it may have the number for another file.
std::atomic<int> holding_descriptor{-1};
std::atomic<pid_t> holding_process{0};
std::atomic<bool> owes_claims{false};  // of a former holder that died

// Empty where the kernel does not tell: then nobody knows whether it is another one, and nobody has died.
std::string this_boot() {
  const Descriptor file{::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)};
  return file.is_open() ? read_up_to(file.number(), kTextMax).value_or("") : "";
}

void write_word(int descriptor, std::string_view text) noexcept {
  static_cast<void>(::pwrite(descriptor, text.data(), text.size(), 0));
}

// Whether the open file still is the one that has the name.
bool is_named(int descriptor, const std::filesystem::path& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace

// Whatever cannot be written was not said, and then nobody is suspect.
ControlLock::AtWork::AtWork(int descriptor) : descriptor_(descriptor) {
  const std::string boot = this_boot();
  const std::string text = std::string{kAtWork} + ' ' + boot;
  former_died_ = !boot.empty() && read_up_to(descriptor_, kTextMax) == text;
  static_cast<void>(::ftruncate(descriptor_, 0));
  write_word(descriptor_, text);
  owes_claims = former_died_;
  holding_process = ::getpid();
  holding_descriptor = descriptor_;
}

// Who comes to this end by an exception has not died either.
ControlLock::AtWork::~AtWork() {
  if (holding_descriptor != descriptor_) return;
  note_leaving();
  holding_descriptor = -1;
}

void ControlLock::note_leaving() noexcept {
  const int descriptor = holding_descriptor;
  if (descriptor >= 0 && holding_process == ::getpid() && !owes_claims) write_word(descriptor, kLeaving);
}

void ControlLock::note_claims_taken_back() noexcept {
  if (holding_process == ::getpid()) owes_claims = false;
}

Result<ControlLock> ControlLock::try_acquire(const std::filesystem::path& control_database) {
  auto descriptor = queue::try_lock_dispatcher_file(control_database);
  if (!descriptor) return tl::unexpected(std::move(descriptor).error());
  ControlLock lock{queue::dispatcher_lock_path(control_database), std::move(*descriptor)};
  lock.require_in_place();
  return lock;
}

void ControlLock::require_in_place() const {
  if (is_named(descriptor_.number(), path_)) return;
  raise(ErrorCode::database_moved,
        "the dispatcher's lock file was removed or replaced while it was held; leaving, since another "
        "dispatcher may start",
        {}, path_.string());
}

}  // namespace tenure::daemon
