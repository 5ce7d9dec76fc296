#include <tenure/base/sqlite/known_faults.hpp>
#include <tenure/base/text.hpp>

#include <array>
#include <charconv>
#include <string>

namespace tenure::sqlite {

bool has_wal_reset_fault(std::string_view version) {
  std::array<int, 3> numbers{};
  const auto parts = split(version, '.');
  if (parts.size() < numbers.size()) return true;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::string& part = parts[i];
    const auto [rest, error] = std::from_chars(part.data(), part.data() + part.size(), numbers[i]);
    if (error != std::errc{} || rest != part.data() + part.size()) return true;
  }
  const auto [major, minor, patch] = numbers;
  if (major != 3) return major < 3;
  if (minor == 44) return patch < 6;
  if (minor == 50) return patch < 7;
  if (minor == 51) return patch < 3;
  return minor < 51;
}

}  // namespace tenure::sqlite
