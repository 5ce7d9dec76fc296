#include <tenure/base/base64.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace tenure {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 0xFF;

constexpr std::array<std::uint8_t, 256> kDigits = [] {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (std::uint8_t i = 0; i < 64; ++i) digits[static_cast<std::uint8_t>(kAlphabet[i])] = i;
  return digits;
}();

}  // namespace

std::string base64_of(const Bytes& bytes) {
  std::string text;
  text.reserve((bytes.value.size() + 2) / 3 * 4);
  for (std::size_t at = 0; at < bytes.value.size(); at += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.value.size() - at);
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i)
      group = group << 8U | (i < count ? std::to_integer<std::uint32_t>(bytes.value[at + i]) : 0U);
    for (std::size_t i = 0; i < 4; ++i) text += i <= count ? kAlphabet[group >> (18U - 6U * i) & 0x3FU] : '=';
  }
  return text;
}

Result<Bytes> bytes_of_base64(std::string_view text) {
  const auto bad = [] { return fail(ErrorCode::bad_payload, "the string is not base64 with its padding"); };
  if (text.size() % 4 != 0) return bad();
  Bytes bytes;
  bytes.value.reserve(text.size() / 4 * 3);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    const std::string_view group = text.substr(at, 4);
    const bool last = at + 4 == text.size();
    const std::size_t padding = !last ? 0 : group.ends_with("==") ? 2 : group.ends_with("=") ? 1 : 0;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const std::uint8_t digit =
          i < 4 - padding ? kDigits[static_cast<std::uint8_t>(group[i])] : std::uint8_t{0};
      if (digit == kNoDigit) return bad();
      bits = bits << 6U | digit;
    }
    // Bits that padding cuts off must be zero, or two texts would mean the same bytes.
    if ((bits & ((1U << (8U * padding)) - 1U)) != 0) return bad();
    for (std::size_t i = 0; i < 3 - padding; ++i)
      bytes.value.push_back(static_cast<std::byte>(bits >> (16U - 8U * i) & 0xFFU));
  }
  return bytes;
}

}  // namespace tenure
