#pragma once

#include "session.hpp"

#include <tenure/base/exit_code.hpp>
#include <tenure/base/json.hpp>

#include <tl/expected.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What the daemon is asked by its control socket, and answers (docs/formats/control-socket.md).
namespace tenure::cli {

// The daemon cannot be asked, or says no. Its words for what is wrong are no codes of the library.
struct DaemonSaysNo {
  std::string name;  // "DaemonUnreachable", "PoolNotFound"
  std::string message;
  ExitCode code = ExitCode::refused;
};

struct DaemonRequest {
  std::string_view method = "GET";
  std::string path;
  std::vector<std::pair<std::string, std::string>> body = {};
  std::vector<std::pair<std::string, std::string>> query = {};
  std::chrono::milliseconds wait_max{std::chrono::seconds{10}};  // for the answer
};

// The body of an answer of status 200.
class DaemonAnswer {
 public:
  explicit DaemonAnswer(json::Document line) : line_(std::move(line)) {}

  // As it came.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] json::Value body() const;

 private:
  json::Document line_;
};

// Asks the daemon that dispatches, else one that stands by.
[[nodiscard]] tl::expected<DaemonAnswer, DaemonSaysNo> try_to_ask_daemon(Session& session,
                                                                         const DaemonRequest& request);
// The same, for what cannot do without an answer: throws DaemonSaysNo.
[[nodiscard]] DaemonAnswer ask_daemon(Session& session, const DaemonRequest& request);

// Members of an answer, as far as they are there: the daemon may be of another version.
[[nodiscard]] std::string text_in(const json::Value& value, std::string_view member);  // "" for none
[[nodiscard]] std::int64_t number_in(const json::Value& value, std::string_view member);
[[nodiscard]] bool truth_in(const json::Value& value, std::string_view member);
[[nodiscard]] double fraction_in(const json::Value& value, std::string_view member);
// Nothing for none, and for null.
[[nodiscard]] std::optional<std::int64_t> number_if_in(const json::Value& value, std::string_view member);
[[nodiscard]] std::vector<json::Value> elements_in(const json::Value& value, std::string_view member);

}  // namespace tenure::cli
