#include "listener.hpp"

#include "../loop/variables.hpp"

#include <tenure/base/file_kind.hpp>
#include <tenure/base/ownership.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tenure::daemon::control {
namespace {

constexpr mode_t kFolderMode = 0750;
constexpr mode_t kListenerMode = 0660;
constexpr int kBacklog = 16;
constexpr int kFirstPassed = 3;
constexpr int kPassedMax = 64;

[[noreturn]] void refuse_socket(ErrorCode code, const std::filesystem::path& path, std::string_view why) {
  raise(code, fmt::format("the control socket {} cannot be served: {}", escaped(path.string()), why));
}

[[noreturn]] void refuse_by_system(const std::filesystem::path& path, std::string_view what) {
  const int error = errno;
  refuse_socket(error_code_of_system(error), path, fmt::format("{}: {}", what, system_text(error)));
}

// Where it is made, it belongs to whom the folder above it does.
void make_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.parent_path();
  struct stat status {};
  if (::lstat(folder.c_str(), &status) == 0) return;
  if (const int error = make_folder_with_mode(folder, kFolderMode); error != 0 && error != EEXIST) {
    errno = error;
    refuse_by_system(path, "its folder is not there and cannot be made");
  }
  give_to_owner_of_folder(folder);
}

bool is_trusted(uid_t user, uid_t owner) { return user == 0 || user == ::geteuid() || user == owner; }

Descriptor open_folder_of(const std::filesystem::path& path, uid_t owner) {
  constexpr mode_t kWrittenByOthers = 0022;
  const std::filesystem::path folder = path.parent_path();
  Descriptor opened{::open(folder.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  struct stat status {};
  if (!opened.is_open() && (errno == ELOOP || errno == ENOTDIR))
    refuse_socket(ErrorCode::access_refused, path, fmt::format("its folder is {}", kind_of_file_at(folder)));
  if (!opened.is_open() || ::fstat(opened.number(), &status) != 0)
    refuse_by_system(path, "its folder cannot be opened");
  if (!is_trusted(status.st_uid, owner))
    refuse_socket(ErrorCode::access_refused, path,
                  fmt::format("its folder belongs to uid {}; use one that only its owner may write (0750)",
                              status.st_uid));
  if ((status.st_mode & kWrittenByOthers) != 0)
    refuse_socket(ErrorCode::access_refused, path,
                  fmt::format("others may write to its folder, whose mode is {:04o}; use one that only its "
                              "owner may write (0750)",
                              status.st_mode & 07777));
  return opened;
}

Descriptor new_socket(const std::filesystem::path& path) {
  Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket.is_open()) refuse_by_system(path, "no socket can be made");
  return socket;
}

// A full queue is one that somebody has made, and may come back to.
void require_unserved(const UnixAddress& address, const std::filesystem::path& path) {
  const Descriptor probe = new_socket(path);
  const bool is_connected = ::connect(probe.number(), address.get(), UnixAddress::size()) == 0;
  if (!is_connected && errno == ECONNREFUSED) return;
  if (!is_connected && errno != EAGAIN) refuse_by_system(path, "what has its name cannot be asked");
  const auto peer = is_connected ? peer_of(probe.number()) : std::nullopt;
  refuse_socket(
      ErrorCode::lock_held, path,
      peer ? fmt::format("process {} serves it; two daemons cannot share one (daemon.control_socket)",
                         peer->pid)
           : "another process serves it");
}

// Only a socket that nobody serves any more goes.
void clear_name(const Descriptor& folder, const UnixAddress& address, const std::filesystem::path& path,
                uid_t owner) {
  const std::string name = path.filename().string();
  struct stat status {};
  if (::fstatat(folder.number(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return;
    refuse_by_system(path, "what has its name cannot be looked at");
  }
  if (!S_ISSOCK(status.st_mode))
    refuse_socket(ErrorCode::access_refused, path,
                  fmt::format("{} has its name; take it away", kind_of_file_at(path)));
  if (!is_trusted(status.st_uid, owner))
    refuse_socket(ErrorCode::access_refused, path,
                  fmt::format("a socket of uid {} has its name; take it away", status.st_uid));
  require_unserved(address, path);
  if (::unlinkat(folder.number(), name.c_str(), 0) != 0)
    refuse_by_system(path, "the old one cannot be removed");
}

std::string bound_path(int socket) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  const std::string_view path(address.sun_path, size - offsetof(sockaddr_un, sun_path));
  return std::string(path.substr(0, path.find('\0')));
}

bool is_listening_stream(int descriptor) {
  int listens = 0;
  int type = 0;
  int family = 0;
  socklen_t size = sizeof(int);
  return ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens == 1 &&
         ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
         ::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &size) == 0 && family == AF_UNIX;
}

}  // namespace

bool may_ask(const Peer& peer, uid_t daemon, gid_t group) {
  return peer.uid == 0 || peer.uid == daemon || peer.gid == group ||
         std::ranges::find(peer.groups, group) != peer.groups.end();
}

std::optional<int> passed_as(std::string_view name, std::string_view names, int count) {
  const std::vector<std::string> each = split(names, ':');
  const auto found = std::ranges::find(each, name);
  const auto index = static_cast<int>(found - each.begin());
  if (found == each.end() || index >= count) return std::nullopt;
  return kFirstPassed + index;
}

Listener::Listener(Descriptor socket, std::string path, Descriptor folder)
    : socket_(std::move(socket)), path_(std::move(path)), folder_(std::move(folder)) {
  struct stat status {};
  if (path_.empty() || ::stat(path_.c_str(), &status) != 0) {
    group_ = ::getegid();
    return;
  }
  group_ = status.st_gid;
  file_ = {status.st_dev, status.st_ino};
}

Listener::~Listener() {
  if (!folder_.is_open()) return;
  const std::string name = std::filesystem::path(path_).filename().string();
  struct stat status {};
  if (::fstatat(folder_.number(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      status.st_dev == file_.device && status.st_ino == file_.number)
    static_cast<void>(::unlinkat(folder_.number(), name.c_str(), 0));
}

Listener Listener::again() const {
  Descriptor copy{::fcntl(socket_.number(), F_DUPFD_CLOEXEC, 0)};
  if (!copy.is_open()) refuse_by_system(path_, "no descriptor is left");
  return Listener(std::move(copy), path_, Descriptor{});
}

Listener Listener::bind(const std::filesystem::path& path, uid_t owner) {
  make_folder_of(path);
  Descriptor folder = open_folder_of(path, owner);
  // By the folder that was looked at, whatever its path is meanwhile.
  const UnixAddress address(folder.number(), path.filename().string());
  if (!address.fits()) refuse_socket(ErrorCode::disk, path, "its name is too long");
  clear_name(folder, address, path, owner);
  Descriptor socket = new_socket(path);
  if (::bind(socket.number(), address.get(), UnixAddress::size()) != 0 ||
      ::chmod(address.path(), kListenerMode) != 0 || ::listen(socket.number(), kBacklog) != 0)
    refuse_by_system(path, "it cannot be bound");
  give_to_owner_of_folder(path);
  return Listener(std::move(socket), path.string(), std::move(folder));
}

std::optional<Listener> Listener::take_passed() {
  const auto process = positive_number(take_variable("LISTEN_PID"));
  const auto count = positive_number(take_variable("LISTEN_FDS"));
  const std::string names = take_variable("LISTEN_FDNAMES");
  if (!process || *process != ::getpid() || !count) return std::nullopt;
  const auto passed = static_cast<int>(std::min<std::int64_t>(*count, kPassedMax));
  for (int descriptor = kFirstPassed; descriptor < kFirstPassed + passed; ++descriptor)
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  const auto found = passed_as("control", names, passed);
  if (!found) return std::nullopt;
  if (!is_listening_stream(*found))
    raise(ErrorCode::access_refused,
          "what the service manager has passed as the control socket is no listening stream socket");
  ::fcntl(*found, F_SETFL, ::fcntl(*found, F_GETFL) | O_NONBLOCK);
  return Listener(Descriptor{*found}, bound_path(*found), Descriptor{});
}

}  // namespace tenure::daemon::control
