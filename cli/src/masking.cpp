#include "masking.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/limits.hpp>

#include <algorithm>
#include <array>

namespace tenure::cli {
namespace {

constexpr std::array<std::string_view, 3> kMaskedNames{"password", "token", "secret"};
constexpr std::string_view kMask = "••••";

void copy(json::Writer& writer, const json::Value& value);

void copy_object(json::Writer& writer, const json::Value& value) {
  writer.begin_object();
  value.each_member([&](std::string_view key, json::Value member) {
    writer.key(key);
    if (is_masked(key)) writer.string(kMask);
    else copy(writer, member);
    return true;
  });
  writer.end_object();
}

void copy_array(json::Writer& writer, const json::Value& value) {
  writer.begin_array();
  value.each_element([&](json::Value element) {
    copy(writer, element);
    return true;
  });
  writer.end_array();
}

// As deep as the document, whose depth is limited.
void copy(json::Writer& writer, const json::Value& value) {
  switch (value.type()) {
    case json::Type::null:
    case json::Type::boolean:
    case json::Type::integer:
    case json::Type::number:
    case json::Type::string:
      value.write_scalar(writer);
      return;
    case json::Type::array:
      copy_array(writer, value);
      return;
    case json::Type::object:
      copy_object(writer, value);
      return;
  }
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

bool is_masked(std::string_view name) {
  std::string folded(name);
  std::transform(folded.begin(), folded.end(), folded.begin(), lower);
  return std::any_of(kMaskedNames.begin(), kMaskedNames.end(),
                     [&](std::string_view masked) { return folded.find(masked) != std::string::npos; });
}

std::string masked_json(std::string_view json) {
  const auto document =
      json::Document::parse(json, {.bytes_max = limits::kPayloadMax, .depth_max = limits::kDepthMax});
  if (!document) return {};
  std::string out;
  json::Writer writer(out);
  copy(writer, document->root());
  return out;
}

}  // namespace tenure::cli
