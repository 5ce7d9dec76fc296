#pragma once

#include "controlled.hpp"
#include "listener.hpp"
#include "router.hpp"

#include <tenure/base/line_limit.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/base/thread_bound.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

namespace tenure::daemon::control {

struct ServerLimits {
  std::size_t connections_max = 16;  // further ones are told so and closed
  // For a whole request, from the moment it can be sent; and for the answer to be read.
  std::chrono::milliseconds request_max{10'000};
  std::chrono::milliseconds answer_max{10'000};
};

// Answers operators at the control socket, on the daemon's loop: one request after another of each connection, in bounded memory and
// time, so that nobody who is slow, silent or many holds the daemon up.
// Threads: the one that runs the executor. Destroyed, it answers nobody any more.
class Server {
 public:
  // `daemon` must outlive it.
  Server(boost::asio::any_io_executor executor, Listener listener, Controlled& daemon,
         ServerLimits limits = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  class Connection;
  void accept();
  void accept_one();
  void take_or_close(Descriptor accepted);
  void take(boost::asio::local::stream_protocol::socket socket);
  void pause();

  ThreadBound thread_{"control::Server"};
  Listener listener_;
  Router router_;
  ServerLimits limits_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  KeptFromChildren kept_;
  boost::asio::steady_timer pause_;
  std::shared_ptr<const bool> life_ = std::make_shared<const bool>(true);  // what is queued may outlive us
  std::vector<std::weak_ptr<Connection>> connections_;
  LineLimit refusals_logged_, failures_logged_;
};

}  // namespace tenure::daemon::control
