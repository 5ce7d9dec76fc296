#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

// Little-endian fields in a byte string, independent of the machine: worker frames and wake hints. Threads: a value.
namespace tenure {

template <class Integer>
requires std::integral<Integer> || std::is_enum_v<Integer>
void put(std::string& out, Integer value) {
  using Plain = typename std::conditional_t<std::is_enum_v<Integer>, std::underlying_type<Integer>,
                                            std::type_identity<Integer>>::type;
  auto bits = static_cast<std::make_unsigned_t<Plain>>(value);
  for (std::size_t i = 0; i < sizeof(Integer); ++i) {
    out += static_cast<char>(bits & 0xFFU);
    bits = static_cast<decltype(bits)>(bits >> (sizeof(bits) > 1 ? 8U : 0U));
  }
}

// A text behind its length, which must fit into `Length`.
template <std::unsigned_integral Length>
void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<Length>(text.size()));
  out += text;
}

// Takes fields off a byte string. After the first one that is not there everything is empty and ok() is false, so a
// reader checks once, at the end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  template <std::integral Integer>
  Integer take() {
    if (rest_.size() < sizeof(Integer)) return spoil(Integer{});
    std::uint64_t bits = 0;
    for (std::size_t i = sizeof(Integer); i-- > 0;) bits = bits << 8U | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(sizeof(Integer));
    return static_cast<Integer>(bits);
  }

  template <std::unsigned_integral Length>
  std::string_view take_text() {
    return take_bytes(take<Length>());
  }

  std::string_view take_bytes(std::size_t size) {
    if (rest_.size() < size) return spoil(std::string_view{});
    const auto text = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return text;
  }

  std::string_view take_rest() { return take_bytes(rest_.size()); }

  // Everything asked for was there, and nothing is left.
  [[nodiscard]] bool ok_and_empty() const { return ok_ && rest_.empty(); }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::size_t left() const { return rest_.size(); }
  void refuse() { ok_ = false; }

 private:
  template <class T>
  T spoil(T nothing) {
    ok_ = false;
    rest_ = {};
    return nothing;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace tenure
