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

// Terminals act on C1 controls, and on some of them U+2028 and U+2029 end a line, so they are escaped too: the bytes of a JSON
// text can then be shown as they are.
bool is_foreign_control(std::uint32_t code_point) {
  return (code_point >= 0x80 && code_point <= 0x9F) || code_point == 0x2028 || code_point == 0x2029;
}

// C2 and E2 begin the foreign controls, and ordinary characters too.
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
    const Character character = first_character(rest);
    if (is_foreign_control(character.code_point)) {
      out += fmt::format("\\u{:04x}", character.code_point);
      at = end + character.size;
    } else if (const auto escape = short_escape(rest[0]); !escape.empty()) {
      out += escape;
    } else if (character.code_point <= 0x7F) {
      out += fmt::format("\\u{:04x}", character.code_point);
    } else {
      out += rest.substr(0, character.size);
      at = end + character.size;
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

std::string hex_escape(std::uint32_t code_point) {
  constexpr std::uint32_t kFirstPair = 0x10000;
  if (code_point < kFirstPair) return fmt::format("\\u{:04x}", code_point);
  const std::uint32_t rest = code_point - kFirstPair;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xD800U + (rest >> 10U), 0xDC00U + (rest & 0x3FFU));
}

}  // namespace

std::string printable(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const Character character = first_character(json);
    // Below 0x7F they are part of the JSON, or escaped already.
    const bool shown = character.code_point < 0x7F || !is_hidden(character.code_point);
    if (shown) out += json.substr(0, character.size);
    else out += hex_escape(character.code_point);
    json.remove_prefix(character.size);
  }
  return out;
}

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
