#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/function_ref.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// JSON, strictly by RFC 8259. Reading is simdjson's, behind types of our own; writing is ours, so that the
// same value gives the same bytes on every machine: doubles by std::to_chars (shortest that reads back),
// always with a point or an exponent so that they stay doubles.
namespace tenure::json {

enum class Type : std::uint8_t { null, boolean, integer, number, string, array, object };

class Document;
class Writer;

// One value inside a Document, which must outlive it; copied freely. The getters say WrongType or OutOfRange
// with the value's path; a getter never converts silently. Threads: any number may read one document.
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

  // Null, a boolean, a number or a string, as it was read; a container is an invariant.
  void write_scalar(Writer& writer) const;

  // `$.lines[3].amount`, with foreign keys escaped. For messages: it costs a walk through what stands before it.
  [[nodiscard]] std::string path() const;

 private:
  friend class Document;
  friend struct Parsed;  // of json_reader.cpp, which alone knows what an element is
  struct Tree;
  // Of the reading library: its bytes are kept here and handed back to it, never looked into.
  struct Element {
    alignas(void*) std::array<std::byte, 2 * sizeof(void*)> bytes;
    friend bool operator==(const Element&, const Element&) = default;
  };
  Value(const Tree& tree, Element element) : tree_(&tree), element_(element) {}

  const Tree* tree_;
  Element element_;
};

// The step of a path to a member or an element: ".name", "[\"a name\"]" where the key is no plain word, "[3]".
[[nodiscard]] std::string path_step(std::string_view key);
[[nodiscard]] std::string path_step(std::size_t index);

struct ReadLimits {
  std::size_t bytes_max;
  std::size_t depth_max;
};

// A parsed text. The whole of it is checked before the first value can be asked for: syntax, UTF-8, lone
// surrogates, numbers that no 64-bit type holds, depth, and bytes after the value. Duplicate keys are for the
// reader to judge.
class Document {
 public:
  // BadPayload whose message begins with one word for the reason (TooLarge, TooDeep, Truncated, TrailingBytes,
  // BadText, BadSyntax, OutOfRange, NotANumber) and ends with the byte's number; `where` is the path of the first
  // thing that is wrong.
  [[nodiscard]] static Result<Document> parse(std::string_view text, ReadLimits limits);
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  [[nodiscard]] Value root() const;

 private:
  explicit Document(std::unique_ptr<Value::Tree> tree);
  std::unique_ptr<Value::Tree> tree_;
};

// Appends JSON to a string. Members are written in the order of the calls; commas and colons are the
// writer's. All controls, C1 ones and line separators too, are written as \u escapes, so that the bytes may
// be shown on a terminal. Misuse (a key outside an object, a value without one inside it) is an invariant;
// bad text and NaN throw BadPayload.
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

  // One whole value was written and every container is closed.
  [[nodiscard]] bool finished() const { return open_.empty() && needs_comma_; }

 private:
  void separate();
  Writer& begin(char bracket);
  Writer& end(char opened, char bracket);

  std::string& out_;
  std::string open_;  // the open containers as '{' and '['
  bool needs_comma_ = false;
  bool after_key_ = false;
};

// The same JSON, in which what is invisible or turns the direction of what follows is a \u escape as well: for terminals, and for
// lines that people read.
[[nodiscard]] std::string printable(std::string_view json);

}  // namespace tenure::json
