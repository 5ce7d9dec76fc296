#include <tenure/base/secret_key.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <sodium.h>
#include <unistd.h>

namespace tenure {
namespace {

// What a hash leaves below its own frame: libsodium wipes its state and not what the compiler has spilled.
constexpr std::size_t kStackOfHash = 4096;

bool is_ready() {
  static const bool ready = ::sodium_init() >= 0;
  return ready;
}

unsigned char* bytes_of(char* memory) { return reinterpret_cast<unsigned char*>(memory); }

KeyedHash hash_with(const unsigned char* key, std::size_t size,
                    std::initializer_list<std::string_view> parts) {
  KeyedHash hash{};
  crypto_generichash_state state{};
  ::crypto_generichash_init(&state, key, size, hash.size());
  for (const std::string_view part : parts)
    ::crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(part.data()), part.size());
  ::crypto_generichash_final(&state, reinterpret_cast<unsigned char*>(hash.data()), hash.size());
  ::sodium_memzero(&state, sizeof state);
  return hash;
}

}  // namespace

bool has_secret_keys() { return is_ready(); }

void SecretText::Wipe::operator()(char* memory) const { ::sodium_free(memory); }

// Locked as far as the limit of locked memory goes; beyond it the memory may be swapped out, and is in no core file all the same.
SecretText::Memory SecretText::allocate(std::size_t size) {
  if (!is_ready()) raise(ErrorCode::internal, "libsodium cannot be used");
  auto* const memory = static_cast<char*>(::sodium_malloc(size));
  if (memory == nullptr) raise(ErrorCode::out_of_memory, "there is no memory for a key");
  return Memory(memory);
}

Result<SecretText> SecretText::read(int descriptor, std::size_t bytes_max) {
  SecretText text;
  text.bytes_ = allocate(bytes_max + 1);
  while (text.size_ <= bytes_max) {
    const ssize_t got = ::read(descriptor, text.bytes_.get() + text.size_, bytes_max + 1 - text.size_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(ErrorCode::disk, "cannot be read: " + system_text(errno));
    if (got == 0) return text;
    text.size_ += static_cast<std::size_t>(got);
  }
  return fail(ErrorCode::bad_configuration, fmt::format("is longer than {} bytes", bytes_max));
}

std::string_view SecretText::view() const { return {bytes_.get(), size_}; }

Result<SecretKey> SecretKey::from_text(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  SecretKey key;
  key.bytes_ = SecretText::allocate(kBytesMax);
  const bool fits = text.size() >= 2 * kBytesMin && text.size() <= 2 * kBytesMax;
  const bool is_hex = fits && ::sodium_hex2bin(bytes_of(key.bytes_.get()), kBytesMax, text.data(),
                                               text.size(), nullptr, &key.size_, nullptr) == 0;
  if (is_hex && key.size_ * 2 == text.size()) return key;
  return fail(
      ErrorCode::bad_configuration,
      fmt::format("is no key: one is {} to {} hexadecimal digits, as `openssl rand -hex 32` prints them",
                  2 * kBytesMin, 2 * kBytesMax));
}

KeyedHash SecretKey::hash(std::initializer_list<std::string_view> parts) const {
  const KeyedHash hash = hash_with(bytes_of(bytes_.get()), size_, parts);
  ::sodium_stackzero(kStackOfHash);
  return hash;
}

bool KeyRing::has_made(const KeyedHash& hash, std::initializer_list<std::string_view> parts) const {
  bool is_known = false;
  for (const auto& key : {current_, previous_}) {
    if (key == nullptr) continue;
    const KeyedHash made = key->hash(parts);
    is_known |= ::sodium_memcmp(made.data(), hash.data(), hash.size()) == 0;
  }
  return is_known;
}

// A line for each, which is empty where there is none.
bool KeyRing::write_to(int descriptor) const {
  SecretText text;
  text.bytes_ = SecretText::allocate(2 * SecretKey::kTextMax);
  for (const auto& key : {current_, previous_}) {
    if (key != nullptr) {
      ::sodium_bin2hex(text.bytes_.get() + text.size_, SecretKey::kTextMax, bytes_of(key->bytes_.get()),
                       key->size_);
      text.size_ += 2 * key->size_;
    }
    text.bytes_.get()[text.size_++] = '\n';
  }
  return write_all(descriptor, text.view());
}

}  // namespace tenure
