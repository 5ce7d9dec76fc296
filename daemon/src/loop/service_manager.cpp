#include "service_manager.hpp"

#include "variables.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/system.hpp>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace tenure::daemon {
namespace {

// 0, or errno. The socket is made for each datagram: one in five seconds is not worth a descriptor that handlers could close.
int send_datagram(const std::string& socket, std::string_view text) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  std::copy(socket.begin(), socket.end(), address.sun_path);
  const bool is_abstract = socket.front() == '@';
  if (is_abstract) address.sun_path[0] = '\0';
  const std::size_t size = offsetof(sockaddr_un, sun_path) + socket.size() + (is_abstract ? 0 : 1);
  const Descriptor descriptor{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!descriptor.is_open()) return errno;
  const ssize_t sent = ::sendto(descriptor.number(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size));
  return sent < 0 ? errno : 0;
}

}  // namespace

ServiceManager::ServiceManager(boost::asio::io_context& context, const Clock& clock)
    : ServiceManager(context, clock, take_variables()) {}

ServiceManager::ServiceManager(boost::asio::io_context& context, const Clock& clock, Variables variables)
    : clock_(clock), socket_(std::move(variables.socket)), report_(variables.watchdog), timer_(context) {
  if (!socket_.empty()) await();
}

ServiceManager::Variables ServiceManager::take_variables() {
  Variables taken{.socket = take_variable("NOTIFY_SOCKET"), .watchdog = {}};
  const auto process = positive_number(take_variable("WATCHDOG_PID"));
  const auto bound = positive_number(take_variable("WATCHDOG_USEC"));
  if (bound && (!process || *process == ::getpid())) taken.watchdog = std::chrono::microseconds{*bound};
  return taken;
}

void ServiceManager::standing_by(std::string_view holder) {
  report_.standing_by(holder);
  tell();
}

void ServiceManager::serve(std::function<ServiceReport::Look()> look) { look_ = std::move(look); }

void ServiceManager::serving() {
  report_.serving();
  tell();
}

void ServiceManager::reloading() {
  report_.reloading(clock_.steady());
  tell();
}

void ServiceManager::reloaded() {
  report_.reloaded();
  tell();
}

void ServiceManager::stopping() {
  report_.stopping();
  if (look_) report_.look(look_(), clock_.steady());
  tell();
}

void ServiceManager::leave() {
  look_ = {};
  timer_.cancel();
}

void ServiceManager::await() {
  timer_.expires_after(report_.period());
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    if (look_) report_.look(look_(), clock_.steady());
    else report_.wait(clock_.steady());
    tell();
    await();
  });
}

// What it takes no more of is told with the next period.
void ServiceManager::tell() {
  thread_.check();
  const std::string text = socket_.empty() ? "" : report_.untold();
  if (text.empty()) return;
  const int error = send_datagram(socket_, text);
  if (error == 0) report_.told();
  if (error == 0 || error == EAGAIN || std::exchange(is_told_of_fault_, true)) return;
  log::write(log::Level::warning, "service.not_told", "the service manager does not hear of us",
             {.error = "NOTIFY_SOCKET=" + socket_ + ": " + system_text(error)});
}

}  // namespace tenure::daemon
