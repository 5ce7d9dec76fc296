#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace tenure::json {
namespace {

// The longest shortest form of a double is 24 characters.
constexpr std::size_t kNumberTextMax = 32;

std::string_view short_escape(char character) {
  switch (character) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\b':
      return "\\b";
    case '\f':
      return "\\f";
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return {};
  }
}

// Terminals act on C1 controls, and on some of them U+2028 and U+2029 end a line, so they are escaped too:
// the bytes of a JSON text can then be shown as they are. Two bytes C2 80..9F, or three E2 80 A8..A9; `text`
// is UTF-8 already.
std::size_t foreign_control_size(std::string_view text) {
  if (text.size() >= 2 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0) return 2;
  if (text.starts_with("\xE2\x80\xA8") || text.starts_with("\xE2\x80\xA9")) return 3;
  return 0;
}

unsigned foreign_control(std::string_view text) {
  const unsigned last = static_cast<unsigned char>(text.back());
  return text.size() == 2 ? last : 0x2000U | (last & 0x3FU);
}

bool is_plain(char character) {
  const auto byte = static_cast<unsigned char>(character);
  return byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7F && byte != 0xC2 && byte != 0xE2;
}

void append_escaped(std::string& out, std::string_view value) {
  for (std::size_t at = 0; at < value.size();) {
    std::size_t end = at;
    while (end < value.size() && is_plain(value[end])) ++end;
    out.append(value, at, end - at);
    if (end == value.size()) return;
    at = end + 1;
    const std::string_view rest = value.substr(end);
    if (const auto size = foreign_control_size(rest); size != 0) {
      out += fmt::format("\\u{:04x}", foreign_control(rest.substr(0, size)));
      at = end + size;
    } else if (const auto escape = short_escape(rest[0]); !escape.empty()) {
      out += escape;
    } else if (static_cast<unsigned char>(rest[0]) <= 0x7F) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(rest[0]));
    } else {
      out += rest[0];  // C2 or E2 that begins an ordinary character
    }
  }
}

void append_string(std::string& out, std::string_view value) {
  if (!is_utf8(value))
    raise(ErrorCode::bad_payload, "BadText: the string is not UTF-8; bytes need a type of their own");
  out += '"';
  append_escaped(out, value);
  out += '"';
}

}  // namespace

void Writer::separate() {
  TENURE_INVARIANT(open_.empty() || open_.back() == '[' || after_key_);
  TENURE_INVARIANT(!open_.empty() || !needs_comma_);
  if (needs_comma_ && !after_key_) out_ += ',';
  needs_comma_ = true;
  after_key_ = false;
}

Writer& Writer::begin(char bracket) {
  separate();
  out_ += bracket;
  open_ += bracket;
  needs_comma_ = false;
  return *this;
}

Writer& Writer::end(char opened, char bracket) {
  TENURE_INVARIANT(!open_.empty() && open_.back() == opened && !after_key_);
  open_.pop_back();
  out_ += bracket;
  needs_comma_ = true;
  return *this;
}

Writer& Writer::begin_object() { return begin('{'); }
Writer& Writer::end_object() { return end('{', '}'); }
Writer& Writer::begin_array() { return begin('['); }
Writer& Writer::end_array() { return end('[', ']'); }

Writer& Writer::key(std::string_view name) {
  TENURE_INVARIANT(!open_.empty() && open_.back() == '{' && !after_key_);
  if (needs_comma_) out_ += ',';
  append_string(out_, name);
  out_ += ':';
  after_key_ = true;
  return *this;
}

Writer& Writer::null() { return raw("null"); }
Writer& Writer::boolean(bool value) { return raw(value ? "true" : "false"); }

Writer& Writer::integer(std::int64_t value) {
  std::array<char, kNumberTextMax> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return raw({text.data(), static_cast<std::size_t>(end - text.data())});
}

Writer& Writer::unsigned_integer(std::uint64_t value) {
  std::array<char, kNumberTextMax> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return raw({text.data(), static_cast<std::size_t>(end - text.data())});
}

Writer& Writer::number(double value) {
  if (!std::isfinite(value)) raise(ErrorCode::bad_payload, "NotANumber: JSON has no NaN and no infinity");
  std::array<char, kNumberTextMax> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  const std::string_view digits{text.data(), static_cast<std::size_t>(end - text.data())};
  raw(digits);
  if (digits.find_first_of(".e") == std::string_view::npos) out_ += ".0";
  return *this;
}

Writer& Writer::string(std::string_view value) {
  separate();
  append_string(out_, value);
  return *this;
}

Writer& Writer::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace tenure::json
