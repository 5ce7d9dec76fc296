#pragma once

#include "http_message.hpp"

#include <tenure/config/listen_address.hpp>

#include <chrono>
#include <cstddef>
#include <memory>

namespace tenure::daemon {

struct HttpLimits {
  std::size_t header_bytes = 8192;  // of request line and fields; then 431
  std::size_t body_bytes = 65536;   // then 413
  std::chrono::milliseconds request_time{
      10000};  // from the connection to the last byte of the request, and once more for the answer
  // One connection more closes the one that has been open longest: who sends slowly keeps nobody out.
  std::size_t connections = 64;
};

// Answers HTTP/1.1 on one address, one request a connection, on a thread of its own. Where another process listens there it waits for its
// end and takes the address then.
// Threads: made and ended by one; the handler is called on its own, `probe`.
class HttpListener {
 public:
  // Throws what ListeningSocket::open says, but LockHeld is waited out.
  [[nodiscard]] static std::unique_ptr<HttpListener> open(const config::ListenAddress& address,
                                                          const HttpLimits& limits, HttpHandler handler);
  virtual ~HttpListener() = default;
};

}  // namespace tenure::daemon
