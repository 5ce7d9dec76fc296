#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <control/request.hpp>
#include <string>

namespace tenure::daemon::control {
namespace {

using ::testing::HasSubstr;

std::string refusal_of(const std::string& line) {
  const auto request = parse_request(line);
  if (request) return "taken";
  EXPECT_EQ(request.error().code, ErrorCode::protocol_violation);
  return request.error().message;
}

TEST(Request, HasMethodPathQueryAndBody) {
  EXPECT_EQ(parse_request(
                R"({"method":"POST","path":"/workers/quiet","query":{"a":"b"},"body":{"pool":"general"}})"),
            (Request{Method::post, "/workers/quiet", {{"a", "b"}}, {{"pool", "general"}}}));
  EXPECT_EQ(parse_request(R"({"path":"/workers","method":"GET"})"), (Request{Method::get, "/workers"}));
}

TEST(Request, WhatIsWrongIsNamed) {
  EXPECT_THAT(refusal_of(""), HasSubstr("Truncated"));
  EXPECT_EQ(refusal_of("[]"), "a request is one JSON object on one line");
  EXPECT_EQ(refusal_of(R"({"path":"/workers"})"), "method is missing");
  EXPECT_EQ(refusal_of(R"({"method":"GET"})"), "path is missing");
  EXPECT_EQ(refusal_of(R"({"method":"get","path":"/"})"), "method is GET or POST");
  EXPECT_EQ(refusal_of(R"({"method":"GET","method":"GET","path":"/"})"), "method stands twice");
  EXPECT_EQ(refusal_of(R"({"method":"GET","path":"/","path":"/"})"), "path stands twice");
  EXPECT_EQ(refusal_of(R"({"method":"GET","path":"/","body":{},"body":{}})"), "body stands twice");
  EXPECT_EQ(refusal_of(R"({"method":"GET","path":"/","who":"root"})"),
            "who is no member of a request: method, path, query, body");
  EXPECT_EQ(refusal_of(R"({"method":"GET","path":"/","body":[]})"), "body is no object");
  EXPECT_EQ(refusal_of(R"({"method":"GET","path":"/","body":{"pool":1}})"), "pool of body is no text");
  EXPECT_EQ(refusal_of(R"({"method":"GET","path":"/","query":{"a":"1","a":"2"}})"),
            "a stands twice in query");
  for (const char* path : {"workers", "", "/with blank", "/\\u0000", "/ä"})
    EXPECT_THAT(refusal_of(R"({"method":"GET","path":")" + std::string(path) + "\"}"),
                HasSubstr("begins with a slash"))
        << path;
}

TEST(Request, ItsLimitsHold) {
  const auto with_path = [](std::size_t size) {
    return R"({"method":"GET","path":"/)" + std::string(size - 1, 'a') + "\"}";
  };
  EXPECT_TRUE(parse_request(with_path(kTargetMax - 1)));
  EXPECT_TRUE(parse_request(with_path(kTargetMax)));
  EXPECT_FALSE(parse_request(with_path(kTargetMax + 1)));
  const auto with_members = [](std::size_t count) {
    std::string members;
    for (std::size_t member = 0; member < count; ++member)
      members += (member == 0 ? "\"" : ",\"") + std::to_string(member) + "\":\"\"";
    return R"({"method":"GET","path":"/","query":{)" + members + "}}";
  };
  EXPECT_TRUE(parse_request(with_members(kMembersMax - 1)));
  EXPECT_TRUE(parse_request(with_members(kMembersMax)));
  EXPECT_THAT(refusal_of(with_members(kMembersMax + 1)), HasSubstr("more than 16 members"));
  const auto with_size = [](std::size_t size) {
    std::string line = R"({"method":"GET","path":"/","body":{"a":""}})";
    line.insert(line.size() - 3, size - line.size(), 'a');
    return line;
  };
  EXPECT_TRUE(parse_request(with_size(kRequestMax - 1)));
  EXPECT_TRUE(parse_request(with_size(kRequestMax)));
  EXPECT_THAT(refusal_of(with_size(kRequestMax + 1)), HasSubstr("TooLarge"));
  EXPECT_THAT(refusal_of(R"({"method":"GET","path":"/","body":{"a":[[]]}})"), HasSubstr("TooDeep"));
}

TEST(Answer, IsOneLine) {
  EXPECT_EQ(answer_line({200, R"({"a":1})"}), "{\"status\":200,\"body\":{\"a\":1}}\n");
  EXPECT_EQ(
      answer_line(refusal(404, "UnknownPath", "there is nothing\nat \xff")),
      "{\"status\":404,\"body\":{\"error\":{\"code\":\"UnknownPath\",\"message\":\"there is nothing\\nat "
      "\xEF\xBF\xBD\"}}}\n");
}

}  // namespace
}  // namespace tenure::daemon::control
