#pragma once

#include <tenure/base/secret_key.hpp>

#include <memory>
#include <string>

// Keys of seals, by a digit; in builds that have the seal.
namespace tenure::testing {

// The text of one: 64 times the digit.
[[nodiscard]] inline std::string key_text(char digit) { return std::string(64, digit); }

// Both by their digits; ' ': there is none.
[[nodiscard]] inline KeyRing keys(char current, char previous = ' ') {
  const auto key = [](char digit) -> std::shared_ptr<const SecretKey> {
    if (digit == ' ') return nullptr;
    return std::make_shared<const SecretKey>(value_or_raise(SecretKey::from_text(key_text(digit))));
  };
  return {key(current), key(previous)};
}

}  // namespace tenure::testing
