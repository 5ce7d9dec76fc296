#include "json_diagnosis.hpp"

#include <tenure/base/json.hpp>

#include <fmt/format.h>
#include <simdjson.h>

#include <bit>
#include <type_traits>

namespace tenure::json {

using simdjson::dom::element;
using simdjson::dom::element_type;

// The document that a Value lies in.
struct Value::Tree {
  simdjson::dom::parser parser;
};

// A Value carries an element as bytes, so that the header names no library. They go in and out unread; two elements are the same
// value exactly where their bytes are.
struct Parsed {
  static_assert(sizeof(element) == sizeof(Value::Element) && alignof(element) <= alignof(Value::Element));
  static_assert(std::is_trivially_copyable_v<element> && std::has_unique_object_representations_v<element>);

  static element element_of(const Value& value) { return std::bit_cast<element>(value.element_); }
  static Value value_of(const Value& of_the_same_document, element found) {
    return {*of_the_same_document.tree_, std::bit_cast<Value::Element>(found)};
  }
  static bool same(const Value& one, const Value& other) { return one.element_ == other.element_; }
};

namespace {

element element_of(const Value& value) { return Parsed::element_of(value); }

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

// Appends the steps from `at` to `wanted` and is true where it lies below. As deep as the document, whose depth is limited.
bool append_path(const Value& at, const Value& wanted, std::string& path) {
  if (Parsed::same(at, wanted)) return true;
  bool found = false;
  std::size_t index = 0;
  const std::size_t size = path.size();
  const auto below = [&](const Value& child, const auto& step) {
    path += path_step(step);
    found = append_path(child, wanted, path);
    if (!found) path.resize(size);
    return !found;
  };
  at.each_element([&](Value item) { return below(item, index++); });
  at.each_member([&](std::string_view key, Value item) { return below(item, key); });
  return found;
}

// A double holds 53 bits, and the zeros behind them are free.
bool is_exact_as_double(std::uint64_t magnitude) {
  return magnitude == 0 || magnitude >> static_cast<unsigned>(std::countr_zero(magnitude)) < 1ULL << 53U;
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
  const element value = element_of(*this);
  if (type() == Type::number) return value.get_double().value_unsafe();
  if (type() != Type::integer) return wrong_type(*this, Type::number);
  if (std::int64_t integer = 0; value.get(integer) == simdjson::SUCCESS) {
    const auto bits = static_cast<std::uint64_t>(integer);
    if (is_exact_as_double(integer < 0 ? 0 - bits : bits)) return static_cast<double>(integer);
  }
  if (std::uint64_t integer = 0; value.get(integer) == simdjson::SUCCESS && is_exact_as_double(integer))
    return static_cast<double>(integer);
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
    if (!visit(Parsed::value_of(*this, item))) return;
}

void Value::each_member(FunctionRef<bool(std::string_view, Value)> visit) const {
  simdjson::dom::object object;
  if (element_of(*this).get(object) != simdjson::SUCCESS) return;
  for (const auto [key, item] : object)
    if (!visit(key, Parsed::value_of(*this, item))) return;
}

std::optional<Value> Value::member(std::string_view key) const {
  std::optional<Value> found;
  each_member([&](std::string_view name, Value item) {
    if (name == key) found = item;
    return !found;
  });
  return found;
}

void Value::write_scalar(Writer& writer) const {
  const element value = element_of(*this);
  switch (value.type()) {
    case element_type::NULL_VALUE:
      writer.null();
      return;
    case element_type::BOOL:
      writer.boolean(value.get_bool().value_unsafe());
      return;
    case element_type::INT64:
      writer.integer(value.get_int64().value_unsafe());
      return;
    case element_type::UINT64:
      writer.unsigned_integer(value.get_uint64().value_unsafe());
      return;
    case element_type::DOUBLE:
      writer.number(value.get_double().value_unsafe());
      return;
    case element_type::STRING:
      writer.string(value.get_string().value_unsafe());
      return;
    case element_type::ARRAY:
    case element_type::OBJECT:
      break;
  }
  TENURE_INVARIANT(!"a container is no scalar");
}

std::string Value::path() const {
  const Value root(*tree_, std::bit_cast<Element>(element{tree_->parser.doc.root()}));
  std::string path = "$";
  // Left out of the path: a value that is in no tree, which cannot be.
  static_cast<void>(append_path(root, *this, path));
  return path;
}

Document::Document(std::unique_ptr<Value::Tree> tree) : tree_(std::move(tree)) {}
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
  auto tree = std::make_unique<Value::Tree>();
  // Two more than may occur: simdjson counts the root, and refuses at its limit instead of above it.
  if (tree->parser.allocate(text.size(), limits.depth_max + 2) != simdjson::SUCCESS)
    return fail(ErrorCode::out_of_memory, "there is no memory to read the text");
  const auto error = tree->parser.parse(text.data(), text.size()).error();
  if (error == simdjson::MEMALLOC)
    return fail(ErrorCode::out_of_memory, "there is no memory to read the text");
  if (error != simdjson::SUCCESS) {
    if (auto failure = diagnose(text, limits)) return tl::unexpected(std::move(*failure));
    return fail(ErrorCode::bad_payload, fmt::format("BadSyntax: {}", simdjson::error_message(error)), {},
                "$");
  }
  return Document(std::move(tree));
}

Value Document::root() const {
  return {*tree_, std::bit_cast<Value::Element>(element{tree_->parser.doc.root()})};
}

}  // namespace tenure::json
