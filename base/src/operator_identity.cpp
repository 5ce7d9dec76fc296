#include <tenure/base/operator_identity.hpp>
#include <tenure/base/system.hpp>

#include <climits>

#include <array>
#include <charconv>
#include <cstdint>
#include <fcntl.h>
#include <limits>
#include <pwd.h>
#include <unistd.h>

namespace tenure {
namespace {

constexpr std::uint32_t kNobodyLoggedIn =
    std::numeric_limits<std::uint32_t>::max();  // (uid_t)-1, as the kernel says it

std::optional<std::int64_t> uid_in(std::string_view text) {
  std::uint32_t uid = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), uid);
  if (error != std::errc{} || rest != text.data() + text.size() || uid == kNobodyLoggedIn)
    return std::nullopt;
  return uid;
}

std::string login_of(uid_t uid) {
  std::array<char, 16UL * 1024> bytes{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, bytes.data(), bytes.size(), &found) != 0 || found == nullptr) return {};
  return found->pw_name;
}

std::optional<std::int64_t> kernel_login_uid() {
  const Descriptor file{::open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC)};
  if (!file.is_open()) return std::nullopt;
  const auto text = read_up_to(file.number(), 32);
  return text ? uid_in(*text) : std::nullopt;
}

std::string terminal_of_process() {
  std::array<char, PATH_MAX> name{};
  for (const int descriptor : {STDIN_FILENO, STDERR_FILENO, STDOUT_FILENO})
    if (::ttyname_r(descriptor, name.data(), name.size()) == 0) return name.data();
  return {};
}

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

OperatorIdentity identify_operator(std::string_view sudo_uid) {
  const uid_t uid = ::getuid();
  return {.uid = uid,
          .login = login_of(uid),
          .login_uid = kernel_login_uid(),
          .sudo_uid = uid == 0 ? uid_in(sudo_uid) : std::nullopt,  // sudo is what makes one root
          .terminal = terminal_of_process(),
          .host = host_name()};
}

OperatorIdentity identify_process() {
  return {.uid = static_cast<std::int64_t>(::getuid()),
          .login = {},
          .login_uid = {},
          .sudo_uid = {},
          .terminal = {},
          .host = host_name()};
}

}  // namespace tenure
