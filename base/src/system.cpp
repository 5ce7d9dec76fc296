#include <tenure/base/file_kind.hpp>
#include <tenure/base/system.hpp>

#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <system_error>
#include <unistd.h>

namespace tenure {
namespace {

struct FileSystem {
  std::uint32_t type;
  std::string_view name;
};
// From /usr/include/linux/magic.h, statfs(2) and the kernel's sources.
constexpr std::array kNetworkFileSystems{
    FileSystem{0x6969, "NFS"},      FileSystem{0x517B, "SMB"},        FileSystem{0xFF534D42, "CIFS"},
    FileSystem{0xFE534D42, "SMB2"}, FileSystem{0x5346414F, "AFS"},    FileSystem{0x6B414653, "AFS"},
    FileSystem{0x73757245, "Coda"}, FileSystem{0x564C, "NetWare"},    FileSystem{0x00C36400, "Ceph"},
    FileSystem{0x01161970, "GFS2"}, FileSystem{0x0BD00BD0, "Lustre"}, FileSystem{0x01021997, "9P"},
};
constexpr std::array<std::uint32_t, 2> kMemoryFileSystems{0x01021994, 0x858458F6};  // tmpfs, ramfs

// f_type is signed on some machines: the 32 bits that the kernel defines.
std::uint32_t type_bits(std::int64_t type) { return static_cast<std::uint32_t>(type & 0xFFFFFFFFLL); }

std::optional<std::int64_t> type_below(const std::filesystem::path& folder) {
  struct statfs status {};
  if (::statfs(folder.c_str(), &status) != 0) return std::nullopt;
  return static_cast<std::int64_t>(status.f_type);
}

}  // namespace

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

std::optional<DescriptorIdentity> identity_of_descriptor(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return std::nullopt;
  return DescriptorIdentity{status.st_dev, status.st_ino, status.st_mode & S_IFMT};
}

void fill_standard_streams() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(number, F_GETFD) < 0)
      static_cast<void>(::open("/dev/null", number == STDERR_FILENO ? O_WRONLY : O_RDONLY));
}

// Not strerror(), whose text another thread may overwrite.
std::string system_text(int error) { return std::generic_category().message(error); }

ErrorCode error_code_of_system(int error) {
  if (error == EACCES || error == EPERM || error == ELOOP) return ErrorCode::access_refused;
  if (error == EMFILE || error == ENFILE) return ErrorCode::handle_budget_exhausted;
  return ErrorCode::disk;
}

void raise_system(int error, std::string_view what, const std::filesystem::path& file) {
  raise_system(error_code_of_system(error), error, what, file);
}

void raise_system(ErrorCode code, int error, std::string_view what, const std::filesystem::path& file) {
  // A link that is not followed is "Too many levels of symbolic links" to the system.
  const std::string found = error == ELOOP ? fmt::format("; this is {}", kind_of_file_at(file)) : "";
  raise(code, fmt::format("{}: {}{}", what, system_text(error), found), {}, file.string());
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool takes_bytes(int descriptor, std::chrono::milliseconds within) {
  pollfd wanted{.fd = descriptor, .events = POLLOUT, .revents = 0};
  return ::poll(&wanted, 1, static_cast<int>(within.count())) > 0 && (wanted.revents & POLLOUT) != 0;
}

void write_last_words(std::string_view text, std::chrono::milliseconds moment) noexcept {
  while (!text.empty() && takes_bytes(STDERR_FILENO, moment)) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::optional<std::string> read_up_to(int descriptor, std::size_t bytes_max) {
  std::string bytes(bytes_max, '\0');
  std::size_t size = 0;
  while (size < bytes.size()) {
    const ssize_t got = ::read(descriptor, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  bytes.resize(size);
  return bytes;
}

int lock_file(int descriptor, WhenLocked when_locked) {
  const int flags = LOCK_EX | (when_locked == WhenLocked::wait ? 0 : LOCK_NB);
  while (::flock(descriptor, flags) != 0)
    if (errno != EINTR) return errno;
  return 0;
}

std::optional<std::string_view> network_file_system_below(const std::filesystem::path& folder) {
  const auto type = type_below(folder);
  if (!type) return std::nullopt;
  return network_file_system_of(*type);
}

std::string_view network_file_system_of(std::int64_t type) {
  const auto* const found = std::ranges::find(kNetworkFileSystems, type_bits(type), &FileSystem::type);
  return found == kNetworkFileSystems.end() ? std::string_view{} : found->name;
}

bool lies_in_memory(const std::filesystem::path& folder) {
  const auto type = type_below(folder);
  return type && std::ranges::find(kMemoryFileSystems, type_bits(*type)) != kMemoryFileSystems.end();
}

}  // namespace tenure
