#include "package_list.hpp"

#include <charconv>
#include <stdexcept>
#include <utility>

namespace debtrack {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

void take_field(Entry& entry, std::string_view key, std::string_view value) {
  if (key == "Package") entry.name = value;
  if (key == "Version") entry.version = value;
  if (key == "Architecture") entry.architecture = value;
  if (key == "Maintainer") entry.maintainer = value;
  if (key == "Section") entry.section = value;
  if (key == "Description" || key == "Description-en") entry.summary = value;
  if (key == "Installed-Size")
    std::from_chars(value.data(), value.data() + value.size(), entry.installed_kib);
}

std::uint32_t hash_of(std::string_view text) {
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (const char character : text) hash = (hash ^ static_cast<unsigned char>(character)) * 16777619U;
  return hash;
}

}  // namespace

PackageList read_package_list(std::istream& input) {
  PackageList list;
  Entry entry;
  std::size_t line_number = 0;
  const auto finish = [&] {
    if (entry.name.empty() && entry.version.empty() && entry.maintainer.empty()) return;
    if (entry.name.empty() || entry.version.empty() || entry.maintainer.empty())
      throw std::runtime_error("line " + std::to_string(line_number) +
                               ": an entry without Package, Version or Maintainer ends here");
    list[entry.maintainer].push_back(std::exchange(entry, {}));
  };
  for (std::string line; std::getline(input, line);) {
    ++line_number;
    if (line.empty()) {
      finish();
      continue;
    }
    const auto colon = line.find(':');
    if (line.front() == ' ' || line.front() == '\t' || colon == std::string::npos)
      continue;  // of the field above
    const std::string_view text{line};
    take_field(entry, text.substr(0, colon), trimmed(text.substr(colon + 1)));
  }
  finish();
  return list;
}

std::string tenant_name_of(std::string_view maintainer) {
  constexpr std::size_t kReadableMax = 40;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string name;
  for (char character : maintainer.substr(0, maintainer.find('<'))) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
    const bool plain = (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9');
    if (plain) name += character;
    else if (!name.empty() && name.back() != '-') name += '-';
    if (name.size() == kReadableMax) break;
  }
  if (name.empty()) name = "maintainer";
  if (name.back() != '-') name += '-';
  const std::uint32_t hash = hash_of(maintainer);
  for (unsigned shift = 32; shift > 0; shift -= 4) name += kDigits[(hash >> (shift - 4)) & 0xFU];
  return name;
}

}  // namespace debtrack
