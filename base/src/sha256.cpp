#include <tenure/base/sha256.hpp>

#include <cstdint>
#include <sha2.h>

namespace tenure {

struct Sha256::State {
  SHA2_CTX context{};
};

Sha256::Sha256() : state_(std::make_unique<State>()) { SHA256Init(&state_->context); }

Sha256::~Sha256() = default;

void Sha256::add(std::string_view bytes) {
  SHA256Update(&state_->context, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

Sha256Digest Sha256::digest() {
  Sha256Digest digest{};
  static_assert(sizeof(digest) == SHA256_DIGEST_LENGTH);
  SHA256Final(reinterpret_cast<std::uint8_t*>(digest.data()), &state_->context);
  return digest;
}

Sha256Digest sha256(std::string_view bytes) {
  Sha256 sum;
  sum.add(bytes);
  return sum.digest();
}

std::string hex_text(const Sha256Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(digest.size() * 2);
  for (const std::byte byte : digest) {
    text += kDigits[std::to_integer<std::size_t>(byte >> 4U)];
    text += kDigits[std::to_integer<std::size_t>(byte & std::byte{0xF})];
  }
  return text;
}

}  // namespace tenure
