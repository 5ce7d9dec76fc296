#include "daemon_answer.hpp"

#include <tenure/base/json_copy.hpp>
#include <tenure/base/line_exchange.hpp>
#include <tenure/base/text.hpp>
#include <tenure/config/control_socket.hpp>

#include <fmt/format.h>

namespace tenure::cli {
namespace {

constexpr std::size_t kAnswerDepthMax = 16;

std::string request_line(const DaemonRequest& request) {
  std::string line;
  json::Writer writer(line);
  writer.begin_object().key("method").string(request.method).key("path").string(request.path).key("body");
  writer.begin_object();
  for (const auto& [name, value] : request.body) writer.key(name).string(to_utf8(value));
  writer.end_object().end_object();
  return line;
}

[[noreturn]] void say_unreachable(std::string message) {
  throw DaemonSaysNo{"DaemonUnreachable", std::move(message), ExitCode::unavailable};
}

[[noreturn]] void say_failed(const std::filesystem::path& socket, const FailedExchange& failed) {
  const std::string at = escaped(socket.string());
  switch (failed.why) {
    case FailedExchange::Why::nobody_listens:
      say_unreachable(
          fmt::format("no daemon answers at {} ({}): start tenured, or name the configuration that it runs "
                      "by with --config",
                      at, failed.text));
    case FailedExchange::Why::not_permitted:
      throw DaemonSaysNo{"AccessRefused",
                         fmt::format("{} may not be used by this user: root, the user of tenured and members "
                                     "of the socket's group may ask the daemon",
                                     at),
                         ExitCode::configuration};
    case FailedExchange::Why::no_answer:
      throw DaemonSaysNo{"NoAnswer",
                         fmt::format("the daemon at {} does not answer ({}): look at its log, and ask again",
                                     at, failed.text),
                         ExitCode::try_again};
    case FailedExchange::Why::too_long:
    case FailedExchange::Why::failed:
      break;
  }
  say_unreachable(
      fmt::format("the daemon at {} cannot be asked: {}", at,
                  failed.why == FailedExchange::Why::too_long ? "its answer is too long" : failed.text));
}

ExitCode exit_code_of_status(std::int64_t status) {
  switch (status) {
    case 400:
    case 413:
      return ExitCode::usage;
    case 403:
    case 422:
      return ExitCode::configuration;
    case 408:
    case 503:
      return ExitCode::try_again;
    default:
      return ExitCode::refused;
  }
}

// Where nobody dispatches, one that stands by can say so; what it would change is nothing of who dispatches.
std::string answer_line_of(Session& session, const DaemonRequest& request) {
  const std::string line = request_line(request);
  const auto& exchange = session.environment().ask_daemon;
  const std::filesystem::path socket = config::control_socket_path(session.settings());
  if (socket.empty()) say_unreachable("the daemon is not to be asked: daemon.control_socket is empty");
  auto answer = exchange(socket, line);
  if (answer) return std::move(*answer);
  if (answer.error().why == FailedExchange::Why::nobody_listens && request.method == "GET")
    if (auto other = exchange(config::standby_socket_path(socket), line)) return std::move(*other);
  say_failed(socket, answer.error());
}

}  // namespace

std::string DaemonAnswer::text() const {
  std::string out;
  json::Writer writer(out);
  json::copy(
      writer, body(), [](std::string_view) { return false; }, "");
  return out;
}

json::Value DaemonAnswer::body() const { return *line_.root().member("body"); }

DaemonAnswer ask_daemon(Session& session, const DaemonRequest& request) {
  const std::string line = answer_line_of(session, request);
  auto document = json::Document::parse(line, {.bytes_max = line.size(), .depth_max = kAnswerDepthMax});
  if (!document || !document->root().member("body"))
    throw DaemonSaysNo{"NoAnswer", "what answers at the control socket is no tenured", ExitCode::unavailable};
  const std::int64_t status = number_in(document->root(), "status");
  if (status == 200) return DaemonAnswer(std::move(*document));
  const auto error = document->root().member("body")->member("error");
  throw DaemonSaysNo{error ? text_in(*error, "code") : "NoAnswer", error ? text_in(*error, "message") : "",
                     exit_code_of_status(status)};
}

std::string text_in(const json::Value& value, std::string_view member) {
  const auto found = value.member(member);
  const auto text = found ? found->string() : fail(ErrorCode::bad_payload, "");
  return std::string(text.value_or(""));
}

std::int64_t number_in(const json::Value& value, std::string_view member) {
  const auto found = value.member(member);
  return found ? found->integer().value_or(0) : 0;
}

bool truth_in(const json::Value& value, std::string_view member) {
  const auto found = value.member(member);
  return found && found->boolean().value_or(false);
}

std::vector<json::Value> elements_in(const json::Value& value, std::string_view member) {
  std::vector<json::Value> elements;
  if (const auto found = value.member(member))
    found->each_element([&](json::Value element) {
      elements.push_back(element);
      return true;
    });
  return elements;
}

}  // namespace tenure::cli
