#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/function_ref.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// JSON, strictly by RFC 8259. Reading is simdjson's, behind types of our own; writing is ours, so that the same value
// gives the same bytes on every machine: doubles by std::to_chars (shortest that reads back), always with a point or an
// exponent so that they stay doubles.
namespace tenure::json {

enum class Type : std::uint8_t { null, boolean, integer, number, string, array, object };

class Document;

// One value inside a Document, which must outlive it. The getters say WrongType or OutOfRange with the value's path
// (`$.lines[3].amount`); a getter never converts silently.
class Value {
 public:
  [[nodiscard]] Type type() const;
  [[nodiscard]] Result<bool> boolean() const;
  [[nodiscard]] Result<std::int64_t> integer() const;
  [[nodiscard]] Result<std::uint64_t> unsigned_integer() const;
  // An integer is accepted where it is exact.
  [[nodiscard]] Result<double> number() const;
  // Lives as long as the document; may hold NUL.
  [[nodiscard]] Result<std::string_view> string() const;
  [[nodiscard]] std::size_t size() const;  // of an array or object, else 0

  // In document order; duplicate keys are all shown. `visit` returns false to stop.
  void each_element(FunctionRef<bool(Value)> visit) const;
  void each_member(FunctionRef<bool(std::string_view key, Value)> visit) const;
  // The first member of that name, or nothing (also where this is no object).
  [[nodiscard]] std::optional<Value> member(std::string_view key) const;

  struct Raw {
    const void* document;
    std::size_t index;
  };
  explicit Value(Raw raw) : raw_(raw) {}

 private:
  Raw raw_;
};

struct ReadLimits {
  std::size_t bytes_max;
  std::size_t depth_max;
};

// A parsed text. The whole of it is checked before the first value can be asked for: syntax, UTF-8, lone surrogates,
// numbers that no 64-bit type holds, depth, and bytes after the value.
class Document {
 public:
  // BadPayload whose `where` is the path or the byte offset of what is wrong.
  [[nodiscard]] static Result<Document> parse(std::string_view text, ReadLimits limits);
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  [[nodiscard]] Value root() const;

 private:
  struct Impl;
  explicit Document(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Appends JSON to a string. Members are written in the order of the calls; commas and colons are the writer's.
// Misuse (a key outside an object, an unfinished container) is an invariant, bad text and NaN are BadPayload.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  Writer& begin_object();
  Writer& end_object();
  Writer& begin_array();
  Writer& end_array();
  Writer& key(std::string_view name);
  Writer& null();
  Writer& boolean(bool value);
  Writer& integer(std::int64_t value);
  Writer& unsigned_integer(std::uint64_t value);
  Writer& number(double value);
  Writer& string(std::string_view value);
  // Text that is JSON already.
  Writer& raw(std::string_view json);

 private:
  void separate();

  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace tenure::json
