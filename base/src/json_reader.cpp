#include "json_diagnosis.hpp"

#include <tenure/base/json.hpp>

#include <fmt/format.h>
#include <simdjson.h>

#include <bit>
#include <cmath>

namespace tenure::json {

using simdjson::dom::element;
using simdjson::dom::element_type;

// A Value is a position on simdjson's tape; an element is the same position with its type.
struct Parsed {
  const simdjson::dom::document* document;
  std::size_t position;

  static Parsed from(element value) {
    static_assert(sizeof(element) == sizeof(Parsed) && std::is_trivially_copyable_v<element>);
    return std::bit_cast<Parsed>(value);
  }
  static Parsed of(const Value& value) {
    return {static_cast<const simdjson::dom::document*>(value.document_), value.position_};
  }
  element as_element() const { return std::bit_cast<element>(*this); }
  Value as_value() const { return {document, position}; }
};

namespace {

element element_of(const Value& value) { return Parsed::of(value).as_element(); }
Value value_of(element found) { return Parsed::from(found).as_value(); }

// "a string", with its article, for messages.
std::string_view noun(Type type) {
  switch (type) {
    case Type::null:
      return "null";
    case Type::boolean:
      return "a boolean";
    case Type::integer:
      return "an integer";
    case Type::number:
      return "a number with a fraction or exponent";
    case Type::string:
      return "a string";
    case Type::array:
      return "an array";
    case Type::object:
      return "an object";
  }
  return "nothing";
}

tl::unexpected<Failure> wrong_type(const Value& value, Type wanted) {
  return fail(ErrorCode::bad_payload,
              fmt::format("WrongType: {} was expected, not {}", noun(wanted), noun(value.type())), {},
              value.path());
}

tl::unexpected<Failure> out_of_range(const Value& value, std::string_view sentence) {
  return fail(ErrorCode::bad_payload, fmt::format("OutOfRange: {}", sentence), {}, value.path());
}

// Brackets outside strings, counted in one pass before anything is allocated for them. Right for JSON;
// whatever is not JSON is refused by the parser anyway.
bool nested_deeper_than(std::size_t depth_max, std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char character = text[at];
    if (in_string) {
      if (character == '\\') ++at;
      if (character == '"') in_string = false;
      continue;
    }
    if (character == '"') in_string = true;
    if ((character == '[' || character == '{') && ++depth > depth_max) return true;
    if ((character == ']' || character == '}') && depth > 0) --depth;
  }
  return false;
}

}  // namespace

Type Value::type() const {
  switch (element_of(*this).type()) {
    case element_type::NULL_VALUE:
      return Type::null;
    case element_type::BOOL:
      return Type::boolean;
    case element_type::INT64:
    case element_type::UINT64:
      return Type::integer;
    case element_type::DOUBLE:
      return Type::number;
    case element_type::STRING:
      return Type::string;
    case element_type::ARRAY:
      return Type::array;
    case element_type::OBJECT:
      return Type::object;
  }
  TENURE_INVARIANT(!"a type that simdjson does not have");
  return Type::null;
}

Result<bool> Value::boolean() const {
  bool value = false;
  if (element_of(*this).get(value) != simdjson::SUCCESS) return wrong_type(*this, Type::boolean);
  return value;
}

Result<std::int64_t> Value::integer() const {
  if (type() != Type::integer) return wrong_type(*this, Type::integer);
  std::int64_t value = 0;
  if (element_of(*this).get(value) != simdjson::SUCCESS)
    return out_of_range(*this, "the integer is greater than a signed one of 64 bits can be");
  return value;
}

Result<std::uint64_t> Value::unsigned_integer() const {
  if (type() != Type::integer) return wrong_type(*this, Type::integer);
  std::uint64_t value = 0;
  if (element_of(*this).get(value) != simdjson::SUCCESS)
    return out_of_range(*this, "the integer must not be negative");
  return value;
}

Result<double> Value::number() const {
  constexpr std::uint64_t kExactMax = 1ULL << 53U;
  if (type() == Type::number) return element_of(*this).get_double().value_unsafe();
  if (type() != Type::integer) return wrong_type(*this, Type::number);
  if (const auto integer = this->integer(); integer && *integer < 0) {
    const auto magnitude = 0 - static_cast<std::uint64_t>(*integer);
    if (magnitude <= kExactMax) return static_cast<double>(*integer);
  } else if (const auto natural = unsigned_integer(); natural && *natural <= kExactMax) {
    return static_cast<double>(*natural);
  }
  return out_of_range(*this, "a double cannot hold the integer exactly");
}

Result<std::string_view> Value::string() const {
  std::string_view value;
  if (element_of(*this).get(value) != simdjson::SUCCESS) return wrong_type(*this, Type::string);
  return value;
}

std::size_t Value::size() const {
  const element value = element_of(*this);
  if (value.is_array()) return value.get_array().value_unsafe().size();
  if (value.is_object()) return value.get_object().value_unsafe().size();
  return 0;
}

void Value::each_element(FunctionRef<bool(Value)> visit) const {
  simdjson::dom::array array;
  if (element_of(*this).get(array) != simdjson::SUCCESS) return;
  for (const element item : array)
    if (!visit(value_of(item))) return;
}

void Value::each_member(FunctionRef<bool(std::string_view, Value)> visit) const {
  simdjson::dom::object object;
  if (element_of(*this).get(object) != simdjson::SUCCESS) return;
  for (const auto [key, item] : object)
    if (!visit(key, value_of(item))) return;
}

std::optional<Value> Value::member(std::string_view key) const {
  std::optional<Value> found;
  each_member([&](std::string_view name, Value item) {
    if (name == key) found = item;
    return !found;
  });
  return found;
}

std::string Value::path() const {
  // The tape is in document order: the way leads through the last child that begins at or before the target.
  std::string path = "$";
  Value at = value_of(Parsed::of(*this).document->root());
  while (at.position_ != position_) {
    std::optional<Value> next;
    std::string step;
    std::size_t index = 0;
    at.each_element([&](Value item) {
      if (item.position_ > position_) return false;
      next = item;
      step = path_step(index++);
      return true;
    });
    at.each_member([&](std::string_view key, Value item) {
      if (item.position_ > position_) return false;
      next = item;
      step = path_step(key);
      return true;
    });
    if (!next) break;
    path += step;
    at = *next;
  }
  return path;
}

struct Document::Impl {
  simdjson::dom::parser parser;
};

Document::Document(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

Result<Document> Document::parse(std::string_view text, ReadLimits limits) {
  if (text.size() > limits.bytes_max)
    return fail(
        ErrorCode::bad_payload,
        fmt::format("TooLarge: the text has {} bytes, at most {} are allowed", text.size(), limits.bytes_max),
        {}, "$");
  if (nested_deeper_than(limits.depth_max, text)) {
    if (auto failure = diagnose(text, limits)) return tl::unexpected(std::move(*failure));
  }
  // simdjson copies a text of no bytes too, and a copy from null is undefined even then.
  if (text.data() == nullptr) text = "";
  auto impl = std::make_unique<Impl>();
  // Two more than may occur: simdjson counts the root, and refuses at its limit instead of above it.
  if (impl->parser.allocate(text.size(), limits.depth_max + 2) != simdjson::SUCCESS)
    return fail(ErrorCode::out_of_memory, "there is no memory to read the text");
  const auto error = impl->parser.parse(text.data(), text.size()).error();
  if (error == simdjson::MEMALLOC)
    return fail(ErrorCode::out_of_memory, "there is no memory to read the text");
  if (error != simdjson::SUCCESS) {
    if (auto failure = diagnose(text, limits)) return tl::unexpected(std::move(*failure));
    return fail(ErrorCode::bad_payload, fmt::format("BadSyntax: {}", simdjson::error_message(error)), {},
                "$");
  }
  return Document(std::move(impl));
}

Value Document::root() const { return value_of(impl_->parser.doc.root()); }

}  // namespace tenure::json
