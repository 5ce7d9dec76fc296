#pragma once

#include <tenure/base/error.hpp>

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

// Keys for keyed hashes: BLAKE2b of libsodium, in builds with TENURE_SEAL. A key and the text that it is read from lie in memory of their
// own, which is locked, stands in no core file, and is wiped when it goes. Threads: const methods from any number at once.
namespace tenure {

using KeyedHash = std::array<std::byte, 32>;

// Whether this build can have a key.
[[nodiscard]] bool has_secret_keys();

// What was read of a secret.
class SecretText {
 public:
  // From the descriptor to its end, at most so many bytes: BadConfiguration for more and in a build without keys, DiskError.
  [[nodiscard]] static Result<SecretText> read(int descriptor, std::size_t bytes_max);
  [[nodiscard]] std::string_view view() const;

 private:
  friend class SecretKey;
  friend class KeyRing;
  struct Wipe {
    void operator()(char* memory) const;
  };
  using Memory = std::unique_ptr<char, Wipe>;
  // OutOfMemory.
  [[nodiscard]] static Memory allocate(std::size_t size);

  Memory bytes_;
  std::size_t size_ = 0;
};

class SecretKey {
 public:
  static constexpr std::size_t kBytesMin = 32;
  static constexpr std::size_t kBytesMax = 64;
  // Of the text: two hexadecimal digits a byte, and a line's end.
  static constexpr std::size_t kTextMax = 2 * kBytesMax + 2;

  // BadConfiguration: the end of a sentence that begins with where the text comes from. It quotes nothing of it.
  [[nodiscard]] static Result<SecretKey> from_text(std::string_view text);

  // Of the parts, one after the other.
  [[nodiscard]] KeyedHash hash(std::initializer_list<std::string_view> parts) const;

 private:
  friend class KeyRing;
  SecretText::Memory bytes_;
  std::size_t size_ = 0;
};

// The key in use, and the one before it while keys are exchanged. Copies share the keys.
class KeyRing {
 public:
  KeyRing() = default;
  KeyRing(std::shared_ptr<const SecretKey> current, std::shared_ptr<const SecretKey> previous)
      : current_(std::move(current)), previous_(std::move(previous)) {}

  [[nodiscard]] bool has_current() const { return current_ != nullptr; }
  // By the current key, which there is.
  [[nodiscard]] KeyedHash hash(std::initializer_list<std::string_view> parts) const {
    return current_->hash(parts);
  }
  // Whether one of the keys has made the hash; takes as long for a wrong one as for a right one.
  [[nodiscard]] bool has_made(const KeyedHash& hash, std::initializer_list<std::string_view> parts) const;

  // By which a key is known again: the hash of a text that is always the same. Nothing: there is no such key.
  [[nodiscard]] std::optional<KeyedHash> mark_of_current() const;
  [[nodiscard]] std::optional<KeyedHash> mark_of_previous() const;

  // Through a pipe, which has room for them; false with errno where that cannot be.
  [[nodiscard]] bool write_to(int descriptor) const;
  // What write_to has written; BadConfiguration.
  [[nodiscard]] static Result<KeyRing> read_from(int descriptor);

 private:
  std::shared_ptr<const SecretKey> current_;
  std::shared_ptr<const SecretKey> previous_;
};

}  // namespace tenure
