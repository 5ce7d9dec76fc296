#include "daemon_answer.hpp"

#include <tenure/base/json_copy.hpp>
#include <tenure/base/line_exchange.hpp>
#include <tenure/base/text.hpp>
#include <tenure/config/control_socket.hpp>

#include <fmt/format.h>

namespace tenure::cli {
namespace {

constexpr std::size_t kAnswerDepthMax = 16;

void write_texts(json::Writer& writer, std::string_view key,
                 const std::vector<std::pair<std::string, std::string>>& texts) {
  writer.key(key).begin_object();
  for (const auto& [name, value] : texts) writer.key(name).string(to_utf8(value));
  writer.end_object();
}

std::string request_line(const DaemonRequest& request) {
  std::string line;
  json::Writer writer(line);
  writer.begin_object().key("method").string(request.method).key("path").string(request.path);
  if (!request.query.empty()) write_texts(writer, "query", request.query);
  write_texts(writer, "body", request.body);
  writer.end_object();
  return line;
}

DaemonSaysNo unreachable(std::string message) {
  return {"DaemonUnreachable", std::move(message), ExitCode::unavailable};
}

DaemonSaysNo not_asked(const std::filesystem::path& socket, const FailedExchange& failed) {
  const std::string at = escaped(socket.string());
  switch (failed.why) {
    case FailedExchange::Why::nobody_listens:
      return unreachable(
          fmt::format("no daemon answers at {} ({}): start tenured, or name the configuration that it runs "
                      "by with --config",
                      at, failed.text));
    case FailedExchange::Why::not_permitted:
      return {"AccessRefused",
              fmt::format("{} may not be used by this user: root, the user of tenured and members "
                          "of the socket's group may ask the daemon",
                          at),
              ExitCode::configuration};
    case FailedExchange::Why::no_answer:
      return {"NoAnswer",
              fmt::format("the daemon at {} does not answer ({}): look at its log, and ask again", at,
                          failed.text),
              ExitCode::try_again};
    case FailedExchange::Why::too_long:
    case FailedExchange::Why::failed:
      break;
  }
  return unreachable(
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
tl::expected<std::string, DaemonSaysNo> answer_line_of(Session& session, const DaemonRequest& request) {
  const std::string line = request_line(request);
  const auto& exchange = session.environment().ask_daemon;
  const std::filesystem::path socket = config::control_socket_path(session.settings());
  if (socket.empty())
    return tl::unexpected(unreachable("the daemon is not to be asked: daemon.control_socket is empty"));
  auto answer = exchange(socket, line, request.wait_max);
  if (answer) return std::move(*answer);
  if (answer.error().why == FailedExchange::Why::nobody_listens && request.method == "GET")
    if (auto other = exchange(config::standby_socket_path(socket), line, request.wait_max))
      return std::move(*other);
  return tl::unexpected(not_asked(socket, answer.error()));
}

}  // namespace

std::string DaemonAnswer::text() const {
  std::string out;
  json::Writer writer(out);
  json::copy(writer, body());
  return out;
}

json::Value DaemonAnswer::body() const { return *line_.root().member("body"); }

tl::expected<DaemonAnswer, DaemonSaysNo> try_to_ask_daemon(Session& session, const DaemonRequest& request) {
  const auto line = answer_line_of(session, request);
  if (!line) return tl::unexpected(line.error());
  auto document = json::Document::parse(*line, {.bytes_max = line->size(), .depth_max = kAnswerDepthMax});
  if (!document || !document->root().member("body"))
    return tl::unexpected(
        DaemonSaysNo{"NoAnswer", "what answers at the control socket is no tenured", ExitCode::unavailable});
  const std::int64_t status = number_in(document->root(), "status");
  if (status == 200) return DaemonAnswer(std::move(*document));
  const auto error = document->root().member("body")->member("error");
  DaemonSaysNo no{error ? text_in(*error, "code") : "NoAnswer", error ? text_in(*error, "message") : "",
                  exit_code_of_status(status)};
  if (no.message.empty()) no.message = fmt::format("tenured answers with status {} and says no more", status);
  return tl::unexpected(std::move(no));
}

DaemonAnswer ask_daemon(Session& session, const DaemonRequest& request) {
  auto answer = try_to_ask_daemon(session, request);
  if (!answer) throw DaemonSaysNo(std::move(answer.error()));
  return std::move(*answer);
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

double fraction_in(const json::Value& value, std::string_view member) {
  const auto found = value.member(member);
  return found ? found->number().value_or(0) : 0;
}

std::optional<std::int64_t> number_if_in(const json::Value& value, std::string_view member) {
  const auto found = value.member(member);
  if (!found || found->type() != json::Type::integer) return std::nullopt;
  const auto number = found->integer();
  return number ? std::optional{*number} : std::nullopt;
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
