#pragma once

#include <tenure/base/error.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

// What an operator asks of the daemon and what it answers, whatever they came by (docs/formats/control-socket.md). Threads: any.
namespace tenure::daemon::control {

inline constexpr std::size_t kRequestMax = 16UL * 1024;  // bytes of a line, without its end
inline constexpr std::size_t kTargetMax = 256;           // bytes of a path
inline constexpr std::size_t kMembersMax = 16;           // of a query, and of a body

enum class Method : std::uint8_t { get, post };
[[nodiscard]] std::string_view name_of(Method method);  // "GET"

struct Request {
  using Texts = std::map<std::string, std::string, std::less<>>;
  Method method = Method::get;
  std::string path;  // begins with a slash
  Texts query = {};
  Texts body = {};
  friend bool operator==(const Request&, const Request&) = default;
};

struct Response {
  int status = 200;  // as HTTP has them
  std::string body;  // JSON
};

// One line of the control socket. ProtocolViolation says what is wrong and where.
[[nodiscard]] Result<Request> parse_request(std::string_view line);

// The line that answers, with its end.
[[nodiscard]] std::string answer_line(const Response& response);

// {"error": {"code": ..., "message": ...}}; `code` is a stable word such as `PoolNotFound`.
[[nodiscard]] Response refusal(int status, std::string_view code, std::string_view message);

}  // namespace tenure::daemon::control
