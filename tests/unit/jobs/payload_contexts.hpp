#pragma once

#include <tenure/base/json.hpp>
#include <tenure/jobs/archive.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tenure {

// Refuses references that do not end in the tenant it is for, and remembers which it was shown.
class AcmeOnly final : public PayloadContext {
 public:
  [[nodiscard]] Result<void> check(std::string_view gid) override {
    seen.emplace_back(gid);
    if (gid.ends_with("?tenant=acme")) return {};
    return fail(ErrorCode::wrong_tenant, "the id belongs to another tenant than acme", "acme");
  }
  std::vector<std::string> seen;
};

// Fails the test where what was written is no JSON.
template <class T>
std::string encoded(const T& value, const PayloadLimits& limits = {}) {
  AcmeOnly context;
  std::string text = encode_arguments(value, context, limits);
  if (!json::Document::parse(text, {.bytes_max = text.size(), .depth_max = limits::kDepthMax}))
    throw std::logic_error("no JSON: " + text);
  return text;
}

template <class T>
T decoded(std::string_view text, const PayloadLimits& limits = {}) {
  AcmeOnly context;
  return decode_arguments<T>(text, context, limits);
}

// "REASON at PATH" of what the call refuses, with the error's name before it unless that is BadPayload. Anything but
// tenure::Error fails the test.
template <class Call>
std::string refusal(Call call) {
  try {
    call();
    return "accepted";
  } catch (const Error& error) {
    const Failure& failure = error.failure();
    if (failure.code != ErrorCode::bad_payload)
      return std::string(name_of(failure.code)) + " at " + failure.where;
    return failure.message.substr(0, failure.message.find(':')) + " at " + failure.where;
  }
}

template <class T>
std::string refused_text(std::string_view text, const PayloadLimits& limits = {}) {
  return refusal([&] { (void)decoded<T>(text, limits); });
}

template <class T>
std::string refused_value(const T& value, const PayloadLimits& limits = {}) {
  return refusal([&] { (void)encoded(value, limits); });
}

}  // namespace tenure
