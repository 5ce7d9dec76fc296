#include <tenure/base/clock.hpp>
#include <tenure/base/line_exchange.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/unix_socket.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>

namespace tenure {
namespace {

using Why = FailedExchange::Why;

tl::unexpected<FailedExchange> failed_exchange(int error) {
  const bool is_nobody = error == ENOENT || error == ECONNREFUSED || error == ENOTDIR;
  const bool is_refused = error == EACCES || error == EPERM;
  const bool is_late = error == EAGAIN || error == ETIMEDOUT || error == EPIPE || error == ECONNRESET;
  const Why why = is_nobody    ? Why::nobody_listens
                  : is_refused ? Why::not_permitted
                  : is_late    ? Why::no_answer
                               : Why::failed;
  return tl::unexpected(FailedExchange{why, system_text(error)});
}

// A connected socket and the moment until which everything must be done.
class Exchange {
 public:
  Exchange(Descriptor socket, Instant until) : socket_(std::move(socket)), until_(until) {}

  // 0 or errno.
  [[nodiscard]] int send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent >= 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      else if (const int error = wait_after(errno, POLLOUT); error != 0) return error;
    }
    return 0;
  }

  [[nodiscard]] tl::expected<std::string, FailedExchange> receive_line(std::size_t bytes_max) {
    std::string line;
    std::array<char, 64UL * 1024> received{};
    for (;;) {
      const ssize_t size = ::recv(socket_.number(), received.data(), received.size(), MSG_DONTWAIT);
      if (size < 0) {
        if (const int error = wait_after(errno, POLLIN); error != 0) return failed_exchange(error);
        continue;
      }
      const std::string_view piece(received.data(), static_cast<std::size_t>(size));
      const std::size_t end = piece.find('\n');
      line += piece.substr(0, end);
      if (line.size() > bytes_max) return tl::unexpected(FailedExchange{Why::too_long, ""});
      if (end != std::string_view::npos) return line;
      if (piece.empty()) return tl::unexpected(FailedExchange{Why::no_answer, "it closed the connection"});
    }
  }

 private:
  // 0 where the call is worth to be repeated.
  int wait_after(int error, short events) {
    if (error == EINTR) return 0;
    if (error != EAGAIN && error != EWOULDBLOCK) return error;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until_ - RealClock{}.steady());
    if (left.count() <= 0) return ETIMEDOUT;
    pollfd waited{.fd = socket_.number(), .events = events, .revents = 0};
    static_cast<void>(::poll(&waited, 1, static_cast<int>(left.count())));
    return 0;
  }

  Descriptor socket_;
  Instant until_;
};

}  // namespace

tl::expected<std::string, FailedExchange> exchange_line(const std::filesystem::path& socket,
                                                        std::string_view line, const LineExchange& bounds) {
  const Instant until = RealClock{}.steady() + bounds.wait_max;
  const UnixAddress address(socket);
  if (!address.fits()) return failed_exchange(ENOENT);
  Descriptor descriptor{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!descriptor.is_open() || ::connect(descriptor.number(), address.get(), UnixAddress::size()) != 0)
    return failed_exchange(errno);
  Exchange exchange(std::move(descriptor), until);
  // Whoever refuses us may have said why and closed before our line came.
  static_cast<void>(exchange.send(std::string(line) + '\n'));
  return exchange.receive_line(bounds.answer_max);
}

}  // namespace tenure
