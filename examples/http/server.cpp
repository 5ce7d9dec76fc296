#include "server.hpp"

#include "jobs.hpp"

#include <tenure/async.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace exports {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Request = http::request<http::string_body>;
using asio::ip::tcp;

constexpr std::chrono::seconds kIdleMax{30};
constexpr std::chrono::seconds kWaitMax{60};
constexpr std::size_t kBodyMax = 4096;

struct Target {
  std::string tenant;
  std::optional<tenure::Uuid> id;
  bool waits = false;
};

// "/acme/exports", "/acme/exports/019cadff-...", with "?wait" behind it.
std::optional<Target> target_of(std::string_view text) {
  Target target;
  if (text.ends_with("?wait")) {
    target.waits = true;
    text.remove_suffix(std::string_view{"?wait"}.size());
  }
  constexpr std::string_view kExports = "/exports";
  const auto exports = text.find(kExports);
  if (!text.starts_with('/') || exports == std::string_view::npos) return std::nullopt;
  target.tenant = text.substr(1, exports - 1);
  text.remove_prefix(exports + kExports.size());
  if (text.empty()) return target;
  if (!text.starts_with('/')) return std::nullopt;
  target.id = tenure::Uuid::parse(text.substr(1));
  return target.id ? std::optional{target} : std::nullopt;
}

http::status status_of(const tenure::Error& error) {
  using tenure::ErrorCode;
  const ErrorCode code = error.code();
  if (code == ErrorCode::tenant_does_not_exist || code == ErrorCode::job_not_found)
    return http::status::not_found;
  if (code == ErrorCode::tenant_deleted) return http::status::gone;
  const bool may_come_again = error.permanence() == tenure::Permanence::transient;
  return may_come_again ? http::status::service_unavailable : http::status::internal_server_error;
}

// One connection: request after request.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, tenure::Client& client) : stream_(std::move(socket)), client_(client) {}

  void read() {
    parser_.emplace();
    parser_->body_limit(kBodyMax);
    stream_.expires_after(kIdleMax);
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       if (!error) self->handle(self->parser_->release());
                     });
  }

 private:
  void handle(Request request) {
    stream_.expires_never();  // while the answer is not known
    keeps_alive_ = request.keep_alive();
    const auto target = target_of({request.target().data(), request.target().size()});
    if (!target) return answer(http::status::not_found, "");
    if (request.method() == http::verb::post && !target->id)
      return enqueue(*target, std::move(request.body()));
    if (request.method() != http::verb::get || !target->id) return answer(http::status::bad_request, "");
    if (target->waits) return wait(*target);
    answer_with([&] { return client_.find(*target->id, {.tenant = target->tenant}); });
  }

  void enqueue(const Target& target, std::string what) {
    auto told = [self = shared_from_this()](const std::exception_ptr& error, tenure::Uuid id) {
      if (error) self->answer_error(error);
      else self->answer(http::status::accepted, id.text());
    };
    try {
      client_.async_enqueue(MakeExport{std::move(what)}, {.tenant = target.tenant},
                            asio::bind_executor(stream_.get_executor(), std::move(told)));
    } catch (const tenure::BadTenantName&) {  // by {.tenant = ...}, which checks the name
      answer(http::status::not_found, "");
    }
  }

  // Until the job has ended, or the time is over: then what there is to say is said.
  void wait(const Target& target) {
    timer_.expires_after(kWaitMax);
    timer_.async_wait([self = shared_from_this()](beast::error_code error) {
      if (!error) self->stop_.emit(asio::cancellation_type::terminal);
    });
    auto ended = [self = shared_from_this(), target](const std::exception_ptr&, const tenure::FoundJob&) {
      self->timer_.cancel();
      self->answer_with([&] { return self->client_.find(*target.id, {.tenant = target.tenant}); });
    };
    try {
      client_.async_wait(*target.id, {.tenant = target.tenant},
                         asio::bind_cancellation_slot(
                             stop_.slot(), asio::bind_executor(stream_.get_executor(), std::move(ended))));
    } catch (const tenure::BadTenantName&) {
      timer_.cancel();
      answer(http::status::not_found, "");
    }
  }

  // `find` is one read of the control database, which waits for no writer.
  template <class Find>
  void answer_with(Find&& find) {
    try {
      const std::optional<tenure::FoundJob> job = find();
      if (!job) return answer(http::status::not_found, "");
      if (!job->has_ended()) return answer(http::status::accepted, job->id.text());
      if (job->has_succeeded()) return answer(http::status::ok, job->result.value_or("null"));
      answer(http::status::internal_server_error, job->error);
    } catch (const tenure::Error&) {
      answer_error(std::current_exception());
    }
  }

  void answer_error(const std::exception_ptr& error) {
    try {
      std::rethrow_exception(error);
    } catch (const tenure::Error& typed) {
      answer(status_of(typed), typed.what());
    }
  }

  void answer(http::status status, std::string text) {
    response_.emplace(status, 11);
    response_->keep_alive(keeps_alive_);
    response_->body() = std::move(text);
    response_->prepare_payload();
    stream_.expires_after(kIdleMax);
    http::async_write(stream_, *response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error && self->keeps_alive_) self->read();
    });
  }

  beast::tcp_stream stream_;
  tenure::Client& client_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  asio::steady_timer timer_{stream_.get_executor()};
  asio::cancellation_signal stop_;
  bool keeps_alive_ = false;
};

}  // namespace

class Server::Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(asio::io_context& loop, tenure::Client& client, std::uint16_t port)
      : acceptor_(loop, {asio::ip::address_v4::loopback(), port}), client_(client) {}

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](beast::error_code error, tcp::socket socket) {
      if (error) return;
      std::make_shared<Session>(std::move(socket), self->client_)->read();
      self->accept();
    });
  }
  [[nodiscard]] std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  void stop() {
    beast::error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  tcp::acceptor acceptor_;
  tenure::Client& client_;
};

Server::Server(asio::io_context& loop, tenure::Client& client, std::uint16_t port)
    : listener_(std::make_shared<Listener>(loop, client, port)) {
  listener_->accept();
}

Server::~Server() { stop(); }
std::uint16_t Server::port() const { return listener_->port(); }
void Server::stop() { listener_->stop(); }

}  // namespace exports
