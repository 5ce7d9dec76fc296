#include "request.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace tenure::daemon::control {
namespace {

constexpr std::size_t kDepthMax = 2;

tl::unexpected<Failure> bad_request(std::string message) {
  return fail(ErrorCode::protocol_violation, std::move(message));
}

// A lower-case word, a number or a name of a pool between slashes: nothing that could be read in two ways.
bool is_target(std::string_view path) {
  return path.starts_with('/') && path.size() <= kTargetMax &&
         std::ranges::all_of(path, [](char c) { return c > ' ' && c < '\x7f'; });
}

Result<Request::Texts> texts_of(std::string_view member, json::Value value) {
  if (value.type() != json::Type::object) return bad_request(fmt::format("{} is no object", member));
  if (value.size() > kMembersMax)
    return bad_request(fmt::format("{} has more than {} members", member, kMembersMax));
  Request::Texts texts;
  std::optional<std::string> problem;
  value.each_member([&](std::string_view key, json::Value each) {
    const auto text = each.string();
    if (!text) problem = fmt::format("{} of {} is no text", escaped(key, 64), member);
    else if (!texts.emplace(key, *text).second)
      problem = fmt::format("{} stands twice in {}", escaped(key, 64), member);
    return !problem;
  });
  if (problem) return bad_request(*problem);
  return texts;
}

// Takes the members of a request one by one.
class RequestReader {
 public:
  Result<Request> read(json::Value root) {
    if (root.type() != json::Type::object) return bad_request("a request is one JSON object on one line");
    Result<void> taken;
    root.each_member([&](std::string_view key, json::Value value) {
      taken = take(key, value);
      return taken.has_value();
    });
    if (!taken) return tl::unexpected(taken.error());
    if (!method_) return bad_request("method is missing");
    if (request_.path.empty()) return bad_request("path is missing");
    request_.method = *method_;
    request_.query = std::move(query_).value_or(Request::Texts{});
    request_.body = std::move(body_).value_or(Request::Texts{});
    return std::move(request_);
  }

 private:
  Result<void> take(std::string_view key, json::Value value) {
    if (key == "method") return take_method(value);
    if (key == "path") return take_path(value);
    if (key == "query") return take_texts(key, value, query_);
    if (key == "body") return take_texts(key, value, body_);
    return bad_request(
        fmt::format("{} is no member of a request: method, path, query, body", escaped(key, 64)));
  }

  Result<void> take_method(json::Value value) {
    if (method_) return bad_request("method stands twice");
    const auto text = value.string();
    for (const Method method : {Method::get, Method::post})
      if (text && *text == name_of(method)) method_ = method;
    if (!method_) return bad_request("method is GET or POST");
    return {};
  }

  Result<void> take_path(json::Value value) {
    if (!request_.path.empty()) return bad_request("path stands twice");
    const auto text = value.string();
    if (!text || !is_target(*text))
      return bad_request(
          fmt::format("path is a text that begins with a slash, of at most {} printable "
                      "characters without blanks",
                      kTargetMax));
    request_.path = *text;
    return {};
  }

  static Result<void> take_texts(std::string_view key, json::Value value,
                                 std::optional<Request::Texts>& into) {
    if (into) return bad_request(fmt::format("{} stands twice", key));
    auto texts = texts_of(key, value);
    if (!texts) return tl::unexpected(texts.error());
    into = std::move(*texts);
    return {};
  }

  Request request_;
  std::optional<Method> method_;
  std::optional<Request::Texts> query_, body_;
};

}  // namespace

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::post:
      break;
  }
  return "POST";
}

Result<Request> parse_request(std::string_view line) {
  const auto document = json::Document::parse(line, {.bytes_max = kRequestMax, .depth_max = kDepthMax});
  if (!document) return bad_request(document.error().message);
  return RequestReader{}.read(document->root());
}

std::string answer_line(const Response& response) {
  std::string line;
  json::Writer(line)
      .begin_object()
      .key("status")
      .integer(response.status)
      .key("body")
      .raw(response.body)
      .end_object();
  return line += '\n';
}

Response refusal(int status, std::string_view code, std::string_view message) {
  Response response{.status = status, .body = {}};
  json::Writer writer(response.body);
  writer.begin_object().key("error").begin_object().key("code").string(code);
  writer.key("message").string(to_utf8(message)).end_object().end_object();
  return response;
}

}  // namespace tenure::daemon::control
