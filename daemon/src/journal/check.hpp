#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// CRC-32 as in IEEE 802.3 (reflected, polynomial 0xEDB88320), eight bytes at a time. Safe in a signal handler.
namespace tenure::daemon::journal {

namespace detail {
using CheckTables = std::array<std::array<std::uint32_t, 256>, 8>;
constexpr CheckTables make_check_tables() {
  CheckTables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1U) != 0 ? value >> 1U ^ 0xEDB8'8320U : value >> 1U;
    tables[0][byte] = value;
  }
  for (std::size_t table = 1; table < tables.size(); ++table)
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = tables[table - 1][byte];
      tables[table][byte] = before >> 8U ^ tables[0][before & 0xffU];
    }
  return tables;
}
inline constexpr CheckTables kCheckTables = make_check_tables();
}  // namespace detail

class Check {
 public:
  constexpr void add(std::string_view bytes) {
    while (bytes.size() >= 8) {
      const std::uint32_t low = state_ ^ word(bytes, 0);
      const std::uint32_t high = word(bytes, 4);
      state_ = detail::kCheckTables[7][low & 0xffU] ^ detail::kCheckTables[6][low >> 8U & 0xffU] ^
               detail::kCheckTables[5][low >> 16U & 0xffU] ^ detail::kCheckTables[4][low >> 24U] ^
               detail::kCheckTables[3][high & 0xffU] ^ detail::kCheckTables[2][high >> 8U & 0xffU] ^
               detail::kCheckTables[1][high >> 16U & 0xffU] ^ detail::kCheckTables[0][high >> 24U];
      bytes.remove_prefix(8);
    }
    for (const char byte : bytes)
      state_ = state_ >> 8U ^ detail::kCheckTables[0][(state_ ^ static_cast<std::uint8_t>(byte)) & 0xffU];
  }
  [[nodiscard]] constexpr std::uint32_t value() const { return ~state_; }

 private:
  static constexpr std::uint32_t word(std::string_view bytes, std::size_t at) {
    std::uint32_t word = 0;
    for (std::size_t byte = 4; byte > 0; --byte)
      word = word << 8U | static_cast<std::uint8_t>(bytes[at + byte - 1]);
    return word;
  }

  std::uint32_t state_ = 0xffff'ffffU;
};

}  // namespace tenure::daemon::journal
