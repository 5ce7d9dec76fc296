#include "json_diagnosis.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace tenure::json {
namespace {

// As much of a key as a message shows.
constexpr std::size_t kKeyShownMax = 64;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}

// A recursive descent whose depth is limited. Each method is true, or has set failure_.
class Diagnosis {
 public:
  Diagnosis(std::string_view text, ReadLimits limits) : text_(text), limits_(limits) {}

  std::optional<Failure> run() {
    if (!value()) return failure_;
    skip_space();
    if (at_ < text_.size()) say("TrailingBytes", "there is something after the value");
    return failure_;
  }

 private:
  bool say(std::string_view reason, std::string_view sentence) {
    std::string path = "$";
    for (const std::string& step : steps_) path += step;
    failure_ =
        Failure{ErrorCode::bad_payload, fmt::format("{}: {} (byte {})", reason, sentence, at_), {}, path};
    return false;
  }
  bool truncated() { return say("Truncated", "the text ends too early"); }

  bool ended() const { return at_ >= text_.size(); }
  char now() const { return ended() ? '\0' : text_[at_]; }
  void skip_space() {
    while (!ended() && std::string_view{" \t\r\n"}.find(now()) != std::string_view::npos) ++at_;
  }
  bool take(char character) {
    skip_space();
    if (ended() || now() != character) return false;
    ++at_;
    return true;
  }

  bool value() {
    skip_space();
    if (ended()) return truncated();
    switch (now()) {
      case '{':
        return container('}', [this](std::size_t) { return member(); });
      case '[':
        return container(']', [this](std::size_t index) { return element(index); });
      case '"':
        return string();
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        return number();
    }
  }

  template <class Item>
  bool container(char close, Item item) {
    if (++depth_ > limits_.depth_max)
      return say("TooDeep",
                 fmt::format("nested deeper than the {} levels that are allowed", limits_.depth_max));
    ++at_;
    steps_.emplace_back();
    std::size_t count = 0;
    while (!take(close)) {
      if (ended()) return truncated();
      if (count != 0 && !take(',')) return say("BadSyntax", "a comma or the end of the container is missing");
      if (!item(count++)) return false;
    }
    steps_.pop_back();
    --depth_;
    return true;
  }

  bool element(std::size_t index) {
    steps_.back() = path_step(index);
    return value();
  }

  bool member() {
    steps_.back().clear();
    skip_space();
    if (ended()) return truncated();
    if (now() != '"') return say("BadSyntax", "a key must be a string in quotes");
    const std::size_t begin = at_ + 1;
    if (!string()) return false;
    steps_.back() = path_step(unescaped(text_.substr(begin, at_ - 1 - begin)));
    if (take(':')) return value();
    return ended() ? truncated() : say("BadSyntax", "a colon is missing after the key");
  }

  // As Value::path() has it, since names are looked for in paths. Of a string that string() has found to be one.
  std::string unescaped(std::string_view string) {
    std::string_view value;
    const bool is_plain = string.find('\\') == std::string_view::npos;
    if (is_plain || parser_.parse(fmt::format("\"{}\"", string)).get(value) != simdjson::SUCCESS)
      value = string;
    return std::string(value);
  }

  bool literal(std::string_view word) {
    const std::string_view found = text_.substr(at_, word.size());
    if (found == word) return at_ += word.size(), true;
    if (word.starts_with(found)) return at_ = text_.size(), truncated();
    return say("BadSyntax", "no JSON value begins like this");
  }

  bool string() {
    const std::size_t begin = ++at_;
    while (now() != '"') {
      if (ended()) return truncated();
      if (static_cast<unsigned char>(now()) < 0x20)
        return say("BadText", "a control character stands bare in a string");
      if (now() == '\\') {
        if (!escape()) return false;
      } else {
        ++at_;
      }
    }
    if (!is_utf8(text_.substr(begin, at_ - begin))) return say("BadText", "the string is not UTF-8");
    ++at_;
    return true;
  }

  bool escape() {
    ++at_;
    if (ended()) return truncated();
    if (now() != 'u') {
      if (std::string_view{"\"\\/bfnrt"}.find(now()) == std::string_view::npos)
        return say("BadText", "there is no such escape");
      ++at_;
      return true;
    }
    unsigned first = 0;
    if (!hexadecimal(first)) return false;
    if (first < 0xD800 || first > 0xDFFF) return true;
    unsigned second = 0;
    if (first > 0xDBFF || text_.substr(at_, 2) != "\\u")
      return say("BadText", "half of a surrogate pair stands alone");
    ++at_;
    if (!hexadecimal(second)) return false;
    return (second >= 0xDC00 && second <= 0xDFFF) || say("BadText", "half of a surrogate pair stands alone");
  }

  // Four digits after the 'u' at which the text stands.
  bool hexadecimal(unsigned& unit) {
    ++at_;
    const std::string_view digits = text_.substr(std::min(at_, text_.size()), 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    if (digits.size() < 4) return at_ = text_.size(), truncated();
    if (error != std::errc{} || end != digits.data() + 4)
      return say("BadText", "\\u needs four hexadecimal digits");
    at_ += 4;
    return true;
  }

  std::size_t digits() {
    const std::size_t begin = at_;
    while (is_digit(now())) ++at_;
    return at_ - begin;
  }

  bool number() {
    const std::size_t begin = at_;
    if (now() == '-') ++at_;
    if (!is_digit(now())) return no_number();
    const bool zero = now() == '0';
    if (digits() > 1 && zero) return say("BadSyntax", "a number must not begin with 0");
    bool integer = true;
    if (now() == '.') {
      integer = false;
      ++at_;
      if (digits() == 0)
        return ended() ? truncated() : say("BadSyntax", "digits are missing after the point");
    }
    if (now() == 'e' || now() == 'E') {
      integer = false;
      ++at_;
      if (now() == '+' || now() == '-') ++at_;
      if (digits() == 0)
        return ended() ? truncated() : say("BadSyntax", "digits are missing in the exponent");
    }
    return in_range(text_.substr(begin, at_ - begin), integer);
  }

  bool no_number() {
    if (ended()) return truncated();
    if (const std::string_view rest = text_.substr(at_); rest.starts_with("NaN") || rest.starts_with("Inf"))
      return say("NotANumber", "JSON has no NaN and no infinity");
    return say("BadSyntax", "no JSON value begins like this");
  }

  bool in_range(std::string_view number, bool integer) {
    if (!integer) {
      if (parser_.parse(number.data(), number.size()).error() == simdjson::SUCCESS) return true;
      return say("OutOfRange", "a double cannot hold the number");
    }
    std::int64_t with_sign = 0;
    std::uint64_t without_sign = 0;
    const char* const end = number.data() + number.size();
    if (std::from_chars(number.data(), end, with_sign).ec == std::errc{}) return true;
    if (std::from_chars(number.data(), end, without_sign).ec == std::errc{}) return true;
    return say("OutOfRange", "no 64-bit integer can hold the number");
  }

  std::string_view text_;
  ReadLimits limits_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::vector<std::string> steps_;
  std::optional<Failure> failure_;
  simdjson::dom::parser parser_;  // the judge of doubles, so that there is one answer only
};

}  // namespace

std::optional<Failure> diagnose(std::string_view text, ReadLimits limits) {
  return Diagnosis(text, limits).run();
}

std::string path_step(std::string_view key) {
  const bool plain =
      !key.empty() && key.size() <= kKeyShownMax && std::all_of(key.begin(), key.end(), is_word);
  return plain ? fmt::format(".{}", key) : fmt::format("[\"{}\"]", escaped(key, kKeyShownMax));
}

std::string path_step(std::size_t index) { return fmt::format("[{}]", index); }

}  // namespace tenure::json
