#include "http_listener.hpp"

#include "listening_socket.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/line_limit.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/system.hpp>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <fcntl.h>
#include <iterator>
#include <list>
#include <memory>
#include <optional>
#include <pthread.h>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

// The only source that sees Beast, which is slow to compile.
namespace tenure::daemon {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;

constexpr std::chrono::seconds kRetry{1};
// Who waits for the address tries it within this.
constexpr std::chrono::seconds kRest = 3 * kRetry;
// How long one that was refused may still send, so that it reads the answer before its connection breaks.
constexpr std::chrono::seconds kLingerMax{2};
constexpr std::size_t kLingerBytesMax = 256UL << 10U;

unsigned status_of(error_code error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) return 431;
  return error == http::error::body_limit ? 413 : 400;
}

// Beast takes one length that is said twice.
bool says_two_lengths(const http::fields& fields) {
  const auto [first, last] = fields.equal_range(http::field::content_length);
  if (first == last) return false;
  return std::next(first) != last || first->value().find(',') != beast::string_view::npos;
}

class Connection;
using Connections = std::list<std::shared_ptr<Connection>>;  // the one that is open longest first

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::generic::stream_protocol::socket socket, const HttpLimits& limits,
             const HttpHandler& handler, Connections& all)
      : stream_(std::move(socket)),
        limits_(limits),
        handler_(handler),
        all_(all),
        buffer_(2 * limits.header_bytes) {
    parser_.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    parser_.body_limit(limits.body_bytes);
  }

  void start() {
    place_ = all_.insert(all_.end(), shared_from_this());
    stream_.expires_after(limits_.request_time);
    http::async_read_header(stream_, buffer_, parser_,
                            [self = shared_from_this()](error_code error, std::size_t bytes) {
                              if (error) return self->refuse(error);
                              // Beast's own limit is of the first line and of the fields, each by itself.
                              if (bytes > self->limits_.header_bytes) return self->answer(plain(431));
                              self->read_body();
                            });
  }

  // What is under way ends with an error, and nothing is answered.
  void close() {
    if (std::exchange(is_closed_, true)) return;
    stream_.close();
    all_.erase(place_);
  }

 private:
  void read_body() {
    if (says_two_lengths(parser_.get())) return answer(plain(400));
    http::async_read(stream_, buffer_, parser_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return self->refuse(error);
      self->answer(self->handled());
    });
  }

  // Who says nothing, or too little in time, is not answered.
  void refuse(error_code error) {
    const bool is_fault_of_request = error.category() == error_code(http::error::end_of_stream).category();
    const bool has_left = error == http::error::end_of_stream || error == http::error::partial_message;
    if (is_closed_ || has_left || !is_fault_of_request) return close();
    answer(plain(status_of(error)));
  }

  static HttpResponse plain(unsigned status) {
    return {.status = status, .body = std::string(http::obsolete_reason(http::int_to_status(status))) + '\n'};
  }

  // The request handler: whatever it throws costs one answer.
  HttpResponse handled() {
    const auto& request = parser_.get();
    const auto target = request.target();
    try {
      return handler_(
          {std::string(request.method_string()), std::string(target.substr(0, target.find('?')))});
    } catch (const std::exception& error) {
      log::write(log::Level::warning, "probe.failed", "a request could not be answered",
                 {.error = error.what()});
      return plain(500);
    }
  }

  void answer(HttpResponse response) {
    if (is_closed_) return;
    response_.result(response.status);
    response_.version(11);
    response_.keep_alive(false);
    response_.set(http::field::content_type, response.content_type);
    response_.set(http::field::cache_control, "no-store");
    response_.set("X-Content-Type-Options", "nosniff");
    if (!response.allow.empty()) response_.set(http::field::allow, response.allow);
    response_.content_length(response.body.size());
    if (parser_.get().method() != http::verb::head) response_.body() = std::move(response.body);
    stream_.expires_after(limits_.request_time);
    http::async_write(stream_, response_, [self = shared_from_this()](error_code error, std::size_t) {
      if (error) return self->close();
      self->linger();
    });
  }

  void linger() {
    error_code ignored;
    stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
    stream_.expires_after(kLingerMax);
    drain();
  }

  void drain() {
    stream_.async_read_some(asio::buffer(drained_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              self->bytes_drained_ += size;
                              if (error || self->bytes_drained_ > kLingerBytesMax) return self->close();
                              self->drain();
                            });
  }

  beast::basic_stream<asio::generic::stream_protocol> stream_;
  const HttpLimits& limits_;
  const HttpHandler& handler_;
  Connections& all_;
  Connections::iterator place_;
  beast::flat_buffer buffer_;
  http::request_parser<http::string_body> parser_;
  http::response<http::string_body> response_;
  std::array<char, 4096> drained_{};
  std::size_t bytes_drained_ = 0;
  bool is_closed_ = false;
};

class BeastListener final : public HttpListener {
 public:
  BeastListener(config::ListenAddress address, const HttpLimits& limits, HttpHandler handler, Begin begin)
      : address_(std::move(address)), limits_(limits), handler_(std::move(handler)) {
    if (begin == Begin::at_once) listen();
    else begin_rest();
    thread_ = std::thread([this] {
      ::pthread_setname_np(::pthread_self(), "probe");
      run();
    });
  }
  ~BeastListener() override {
    context_.stop();
    thread_.join();
    while (!connections_.empty()) connections_.front()->close();
  }
  BeastListener(const BeastListener&) = delete;
  BeastListener& operator=(const BeastListener&) = delete;

  void rest() override {
    asio::post(context_, [this] { begin_rest(); });
  }

 private:
  void begin_rest() {
    error_code ignored;
    acceptable_.close(ignored);
    socket_.reset();
    after(kRest, [this] { listen_again(); });
  }

  void listen() {
    auto opened = ListeningSocket::open(address_);
    if (!opened) {
      if (opened.error().code == ErrorCode::bad_configuration) throw Error(opened.error());
      return listen_later(opened.error());
    }
    Descriptor copy{::fcntl(opened->descriptor(), F_DUPFD_CLOEXEC, 0)};
    error_code error;
    if (copy.is_open()) acceptable_.assign(copy.number(), error);
    if (!copy.is_open() || error)
      return listen_later({ErrorCode::handle_budget_exhausted, error ? error.message() : system_text(errno)});
    static_cast<void>(copy.release());
    socket_.emplace(std::move(*opened));
    told_.reset();
    log::write(log::Level::info, "probe.listening", "health and metrics are answered on " + address_.text());
    accept_when_there_is_one();
  }

  // Said once for each cause.
  void listen_later(const Failure& failure) {
    if (std::exchange(told_, failure.code) != failure.code) {
      if (failure.code == ErrorCode::lock_held)
        log::write(log::Level::warning, "probe.waiting", failure.message + "; tried again each second");
      else
        log::write(log::Level::warning, "probe.unavailable",
                   "health and metrics are answered nowhere; tried again each second",
                   {.error = failure.message});
    }
    after(kRetry, [this] { listen_again(); });
  }

  void listen_again() {
    if (socket_) return;
    try {
      listen();
    } catch (const std::exception& error) {  // on our own thread: nobody else would hear of it
      log::write(log::Level::warning, "probe.unavailable", "health and metrics are answered nowhere",
                 {.error = error.what()});
    }
  }

  // Whatever is thrown costs what it was thrown for, never the daemon.
  void run() {
    while (true) try {
        context_.run();
        return;
      } catch (const std::exception& error) {
        if (const auto left_out = failure_lines_.pass())
          log::write(log::Level::warning, "probe.failed",
                     "a request could not be answered" + left_out_text(*left_out), {.error = error.what()});
      }
  }

  template <class What>
  void after(std::chrono::seconds time, What what) {
    timer_.expires_after(time);
    timer_.async_wait([what = std::move(what)](error_code error) {
      if (!error) what();
    });
  }

  void accept_when_there_is_one() {
    acceptable_.async_wait(asio::posix::descriptor_base::wait_read, [this](error_code error) {
      if (!error && socket_) accept();
    });
  }

  // By hand, since Asio's own leaves what it accepts open in programs that we start.
  void accept() {
    Descriptor accepted{::accept4(socket_->descriptor(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!accepted.is_open() && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
      if (const auto left_out = accept_lines_.pass())
        log::write(log::Level::warning, "probe.not_accepted",
                   "a connection waits for a descriptor" + left_out_text(*left_out),
                   {.error = system_text(errno)});
      return after(kRetry, [this] { accept_when_there_is_one(); });
    }
    accept_when_there_is_one();  // before anything is thrown
    if (accepted.is_open()) begin(std::move(accepted));
  }

  void begin(Descriptor accepted) {
    while (connections_.size() >= limits_.connections) connections_.front()->close();
    const int family = address_.path.empty() ? AF_INET : AF_UNIX;
    asio::generic::stream_protocol::socket socket(context_);
    error_code error;
    socket.assign(asio::generic::stream_protocol(family, 0), accepted.number(), error);
    if (error) return;
    static_cast<void>(accepted.release());
    std::make_shared<Connection>(std::move(socket), limits_, handler_, connections_)->start();
  }

  const config::ListenAddress address_;
  const HttpLimits limits_;
  const HttpHandler handler_;
  asio::io_context context_{1};
  asio::steady_timer timer_{context_};
  std::optional<ListeningSocket> socket_;
  // A copy: it closes what it has.
  asio::posix::stream_descriptor acceptable_{context_};
  Connections connections_;
  LineLimit accept_lines_, failure_lines_;
  std::optional<ErrorCode> told_;  // why nobody is answered
  std::thread thread_;
};

}  // namespace

std::unique_ptr<HttpListener> HttpListener::open(const config::ListenAddress& address,
                                                 const HttpLimits& limits, HttpHandler handler, Begin begin) {
  return std::make_unique<BeastListener>(address, limits, std::move(handler), begin);
}

}  // namespace tenure::daemon
