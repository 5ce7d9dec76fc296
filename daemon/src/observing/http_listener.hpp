#pragma once

#include "http_message.hpp"

#include <tenure/config/listen_address.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
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
// end and takes the address then; what else may pass (no descriptor, a lock that it may not open) it waits out, too.
// Threads: made and ended by one; the handler is called on its own, `probe`.
class HttpListener {
 public:
  enum class Begin : std::uint8_t { at_once, after_a_rest };
  // Throws what ListeningSocket::open says, but only BadConfiguration.
  [[nodiscard]] static std::unique_ptr<HttpListener> open(const config::ListenAddress& address,
                                                          const HttpLimits& limits, HttpHandler handler,
                                                          Begin begin = Begin::at_once);
  virtual ~HttpListener() = default;
  // Leaves the address to whoever waits for it, and takes it some seconds later if nobody did. Connections that are open stay.
  virtual void rest() = 0;
};

}  // namespace tenure::daemon
