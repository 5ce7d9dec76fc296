// JSON. A text is one document, or BadPayload with one of the reasons that json.hpp names and a path; what the writer makes of
// a document reads back, and writing that again gives the same bytes.

#include "target.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>

#include <algorithm>
#include <array>
#include <string>

namespace tenure::fuzz {
namespace {

using json::Document;
using json::Value;

constexpr json::ReadLimits kLimits{.bytes_max = 64UL * 1024, .depth_max = 64};
// A control character of two bytes becomes an escape of six.
constexpr json::ReadLimits kRewrittenLimits{.bytes_max = 16 * kLimits.bytes_max,
                                            .depth_max = kLimits.depth_max};
constexpr std::array<std::string_view, 8> kReasons{"TooLarge", "TooDeep",   "Truncated",  "TrailingBytes",
                                                   "BadText",  "BadSyntax", "OutOfRange", "NotANumber"};

void copy_scalar(json::Writer& writer, const Value& value) {
  switch (value.type()) {
    case json::Type::null:
      writer.null();
      return;
    case json::Type::boolean:
      writer.boolean(value_or_raise(value.boolean()));
      return;
    case json::Type::integer:
      if (const auto number = value.integer()) writer.integer(*number);
      else writer.unsigned_integer(value_or_raise(value.unsigned_integer()));
      return;
    case json::Type::number:
      writer.number(value_or_raise(value.number()));
      return;
    case json::Type::string:
      writer.string(value_or_raise(value.string()));
      return;
    case json::Type::array:
    case json::Type::object:
      return;
  }
}

// As deep as the document, whose depth is limited.
void copy(json::Writer& writer, const Value& value) {
  std::size_t count = 0;
  if (value.type() == json::Type::array) {
    writer.begin_array();
    value.each_element([&](Value element) {
      copy(writer, element);
      return ++count > 0;
    });
    writer.end_array();
  } else if (value.type() == json::Type::object) {
    writer.begin_object();
    value.each_member([&](std::string_view key, Value member) {
      writer.key(key);
      copy(writer, member);
      return ++count > 0;
    });
    writer.end_object();
  } else {
    copy_scalar(writer, value);
  }
  require(count == value.size(), "a container has as many values as it says");
}

std::string written(const Document& document) {
  std::string text;
  json::Writer writer(text);
  copy(writer, document.root());
  require(writer.finished(), "one whole value is written");
  return text;
}

void check_json_refusal(const Failure& failure) {
  check_refusal(failure, ErrorCode::bad_payload);
  const std::string_view message = failure.message;
  require(std::ranges::count(kReasons, message.substr(0, message.find(':'))) == 1,
          "the message begins with a reason");
  require(failure.where.starts_with('$'), "a refusal has a path");
  require(escaped(failure.text(), failure.text().size()) == failure.text(), "a refusal can be shown");
}

// A path costs a walk from the root, so that of a few is enough.
void check_paths(const Value& root) {
  require(root.path() == "$", "the root's path is $");
  int left = 8;
  root.each_member([&](std::string_view key, const Value& member) {
    require(member.path() == "$" + json::path_step(key), "a member's path is its key");
    return --left > 0;
  });
  root.each_element([&](const Value& element) {
    require(element.path().starts_with("$["), "an element's path is its index");
    return --left > 0;
  });
}

}  // namespace

const MemoryLimit kMemoryLimit{.base = 256UL * 1024, .for_each_byte = 256};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  const auto document = json::Document::parse(fuzz::text_of(data, size), fuzz::kLimits);
  if (!document) {
    fuzz::check_json_refusal(document.error());
    return 0;
  }
  fuzz::accepted();
  fuzz::check_paths(document->root());
  const std::string once = fuzz::written(*document);
  const auto again = json::Document::parse(once, fuzz::kRewrittenLimits);
  fuzz::require(again.has_value(), "what is written can be read");
  fuzz::require(fuzz::written(*again) == once, "writing what was read is stable");
  return 0;
}
