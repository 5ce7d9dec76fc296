#include "server.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/text.hpp>
#include <tenure/base/unix_socket.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <exception>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace tenure::daemon::control {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using boost::system::error_code;

namespace {

// While no descriptor is left, or no memory.
constexpr std::chrono::milliseconds kAcceptPause{100};

// To who is not listened to any further. A line so short fits into the buffer of a new socket, or is lost.
void send_at_once(int socket, const Response& response) {
  const std::string line = answer_line(response);
  static_cast<void>(::send(socket, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

// What changes something or is refused is said in the log.
void log_asked(const Request& request, const Asker& asker, const Response& response) {
  if (request.method == Method::get) return;
  log::write(log::Level::info, "control.asked",
             fmt::format("{} {} by uid {}, pid {}: {}", name_of(request.method), request.path, asker.uid,
                         asker.pid, response.status));
}

}  // namespace

// One operator. Kept alive by its own pending operations; close() ends them.
class Server::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(stream_protocol::socket socket, Router& router, const Asker& asker, const ServerLimits& limits)
      : socket_(std::move(socket)),
        kept_(socket_.native_handle()),
        timer_(socket_.get_executor()),
        router_(router),
        asker_(asker),
        limits_(limits) {}

  void read() {
    bound(limits_.request_max, [](Connection& self) {
      send_at_once(self.socket_.native_handle(), refusal(408, "TimedOut", "no whole request came in time"));
    });
    asio::async_read_until(
        socket_, asio::dynamic_buffer(received_, kRequestMax + 1), '\n',
        [self = shared_from_this()](error_code error, std::size_t size) { self->has_read(error, size); });
  }

  void close() {
    error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
  }

 private:
  // Once the time is over `leave` is called and the connection closed.
  void bound(std::chrono::milliseconds time, void (*leave)(Connection&)) {
    timer_.expires_after(time);
    // One that was over before it was set anew may come all the same.
    timer_.async_wait([self = shared_from_this(), leave, set = ++times_set_](error_code error) {
      if (error || set != self->times_set_ || !self->socket_.is_open()) return;
      leave(*self);
      self->close();
    });
  }

  // A boundary, since what is thrown here would end the daemon's loop: without memory for an answer there is none.
  void has_read(error_code error, std::size_t size) {
    if (!socket_.is_open()) return;
    try {
      take(error, size);
    } catch (const std::exception&) {
      close();
    }
  }

  void take(error_code error, std::size_t size) {
    if (error == asio::error::not_found)
      return write(
          refusal(413, "RequestTooLarge", fmt::format("a request has at most {} bytes", kRequestMax)), false);
    if (error) return close();
    const std::string line = received_.substr(0, size - 1);
    received_.erase(0, size);
    const auto request = parse_request(line);
    if (!request) return write(refusal(400, "BadRequest", request.error().message), false);
    const Response response = answer(*request);
    log_asked(*request, asker_, response);
    write(response, true);
  }

  // A boundary: what an answer meets is told to who asked, and costs the daemon nothing.
  Response answer(const Request& request) {
    try {
      return router_.answer(request, asker_);
    } catch (const std::exception& error) {
      log::write(log::Level::error, "control.failed",
                 fmt::format("{} {} by uid {}, pid {} could not be answered", name_of(request.method),
                             escaped(request.path), asker_.uid, asker_.pid),
                 {.error = error.what()});
      return refusal(500, "Internal", fmt::format("the daemon could not do it: {}", error.what()));
    }
  }

  // Behind what could not be read, nothing that comes means anything.
  void write(const Response& response, bool goes_on) {
    answer_ = answer_line(response);
    bound(limits_.answer_max, [](Connection&) {});
    asio::async_write(socket_, asio::buffer(answer_),
                      [self = shared_from_this(), goes_on](error_code error, std::size_t) {
                        if (!self->socket_.is_open()) return;
                        if (error || !goes_on) return self->close();
                        self->read();
                      });
  }

  stream_protocol::socket socket_;
  KeptFromChildren kept_;
  asio::steady_timer timer_;
  Router& router_;
  Asker asker_;
  ServerLimits limits_;
  std::string received_, answer_;
  std::uint64_t times_set_ = 0;  // the timer
};

Server::Server(asio::any_io_executor executor, Listener listener, Controlled& daemon, ServerLimits limits)
    : listener_(std::move(listener)),
      router_(daemon),
      limits_(limits),
      acceptor_(executor, stream_protocol{}, listener_.take_descriptor()),
      kept_(acceptor_.native_handle()),
      pause_(executor) {
  accept();
}

Server::~Server() {
  for (const auto& connection : connections_)
    if (const auto open = connection.lock()) open->close();
}

void Server::accept() {
  acceptor_.async_wait(stream_protocol::acceptor::wait_read, [this, life = std::weak_ptr(life_)](error_code) {
    if (!life.expired()) accept_one();
  });
}

// By ourselves, since Asio leaves the new descriptor to programs that are started before its handler runs.
void Server::accept_one() {
  Descriptor accepted{::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
  const bool has_left = !accepted.is_open() && (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR);
  if (!accepted.is_open() && !has_left) return pause();
  if (accepted.is_open()) take_or_close(std::move(accepted));
  accept();
}

// Whatever it throws costs one connection.
void Server::take_or_close(Descriptor accepted) {
  try {
    stream_protocol::socket socket(acceptor_.get_executor());
    socket.assign(stream_protocol{}, accepted.number());
    static_cast<void>(accepted.release());
    take(std::move(socket));
  } catch (const std::exception& error) {
    if (const auto left_out = failures_logged_.pass())
      log::write(log::Level::warning, "control.not_accepted",
                 "an operator's connection could not be served" + left_out_text(*left_out),
                 {.error = error.what()});
  }
}

void Server::pause() {
  pause_.expires_after(kAcceptPause);
  pause_.async_wait([this, life = std::weak_ptr(life_)](error_code) {
    if (!life.expired()) accept();
  });
}

void Server::take(stream_protocol::socket socket) {
  thread_.check();
  const auto peer = peer_of(socket.native_handle());
  if (!peer || !may_ask(*peer, ::geteuid(), listener_.group())) {
    send_at_once(socket.native_handle(),
                 refusal(403, "AccessRefused",
                         "only root, the daemon's user and members of the socket's group may ask"));
    if (const auto left_out = refusals_logged_.pass())
      log::write(log::Level::warning, "control.refused",
                 fmt::format("uid {}, pid {} may not ask the daemon{}", peer ? peer->uid : -1U,
                             peer ? peer->pid : 0, left_out_text(*left_out)));
    return;
  }
  std::erase_if(connections_, [](const auto& connection) { return connection.expired(); });
  if (connections_.size() >= limits_.connections_max)
    return send_at_once(socket.native_handle(),
                        refusal(503, "TooManyConnections",
                                fmt::format("{} others are connected already", connections_.size())));
  const auto connection =
      std::make_shared<Connection>(std::move(socket), router_, Asker{peer->uid, peer->pid}, limits_);
  connections_.push_back(connection);
  connection->read();
}

}  // namespace tenure::daemon::control
