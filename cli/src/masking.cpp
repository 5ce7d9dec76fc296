#include "masking.hpp"

#include "json_copy.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/limits.hpp>

#include <algorithm>
#include <array>

namespace tenure::cli {
namespace {

constexpr std::array<std::string_view, 3> kMaskedNames{"password", "token", "secret"};
constexpr std::string_view kMask = "••••";

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
  copy_json(
      writer, document->root(), [](std::string_view name) { return is_masked(name); }, kMask);
  return out;
}

}  // namespace tenure::cli
