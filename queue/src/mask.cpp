#include "sorted_forms.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/json_copy.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/filter.hpp>
#include <tenure/queue/mask.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

namespace tenure::queue {
namespace {

constexpr std::array<std::string_view, 3> kAlwaysMasked{"password", "token", "secret"};

std::string folded(std::string_view name) {
  std::string lower(name);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

// Nothing where it is none.
std::optional<json::Document> parsed(std::string_view text, std::size_t bytes_max = limits::kPayloadMax) {
  auto document = json::Document::parse(text, {.bytes_max = bytes_max, .depth_max = limits::kDepthMax});
  return document ? std::optional{*std::move(document)} : std::nullopt;
}

// As `escaped` ends what it has cut.
constexpr std::string_view kCutOff = "...";
// Bytes of a name in a path at most: 64 of the key, each escaped, and that they are cut.
constexpr std::size_t kNameInPathMax = std::size_t{64} * 4 + kCutOff.size();

// The end of the first step at `begin`, which is behind `["`, that `covers`; npos: none of them. A key may hold what looks like the end of
// its step, so each end is tried: what goes too far is hidden, and no name is missed.
template <class Covers>
std::size_t end_of_covered_step(std::string_view path, std::size_t begin, const Covers& covers) {
  constexpr std::string_view kEnd = "\"]";
  const std::string_view step = path.substr(begin, kNameInPathMax + kEnd.size());
  for (std::size_t end = step.find(kEnd); end != std::string_view::npos; end = step.find(kEnd, end + 1))
    if (covers(step.substr(0, end))) return begin + end + kEnd.size();
  return std::string_view::npos;
}

// "OutOfRange: ", with which a message about arguments begins.
std::string_view reason_of(std::string_view message) {
  const std::size_t colon = message.find(": ");
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (colon == std::string_view::npos || !std::ranges::all_of(message.substr(0, colon), is_letter)) return {};
  return message.substr(0, colon + 2);
}

// " (byte 23)", with which a message about text that is no JSON ends: where it is says nothing of what it is.
std::string_view position_of(std::string_view message) {
  const std::size_t at = message.rfind(" (byte ");
  return at == std::string_view::npos || !message.ends_with(')') ? std::string_view{} : message.substr(at);
}

// As it stands inside of quotes.
std::string as_json(std::string_view text) {
  std::string quoted;
  json::Writer(quoted).string(text);
  return quoted.substr(1, quoted.size() - 2);
}

// The same value, of which covered members keep nothing but the types of their values.
class Redaction {
 public:
  Redaction(json::Writer& writer, const Mask& mask) : writer_(writer), mask_(mask) {}

  void copy(const json::Value& value) {
    if (value.type() == json::Type::object) return copy_members(value);
    if (value.type() != json::Type::array) return value.write_scalar(writer_);
    writer_.begin_array();
    value.each_element([&](const json::Value& element) { return copy(element), true; });
    writer_.end_array();
  }

 private:
  void copy_members(const json::Value& value) {
    writer_.begin_object();
    value.each_member([&](std::string_view key, const json::Value& member) {
      writer_.key(key);
      if (mask_.covers(key)) redact(member);
      else copy(member);
      return true;
    });
    writer_.end_object();
  }

  void redact(const json::Value& value) {
    switch (value.type()) {
      case json::Type::null:
        writer_.null();
        return;
      case json::Type::boolean:
        writer_.boolean(false);
        return;
      case json::Type::integer:
        writer_.integer(0);
        return;
      case json::Type::number:
        writer_.number(0);
        return;
      case json::Type::string:
        writer_.string(kMasked);
        return;
      case json::Type::array:
        writer_.begin_array();
        value.each_element([&](const json::Value& element) { return redact(element), true; });
        writer_.end_array();
        return;
      case json::Type::object:  // keys may be secret, too
        writer_.begin_object().end_object();
        return;
    }
  }

  json::Writer& writer_;
  const Mask& mask_;
};

}  // namespace

Mask::Mask(const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) patterns_.push_back(folded(pattern));
}

bool Mask::covers(std::string_view name) const {
  const std::string lower = folded(name);
  const auto is_in_name = [&](std::string_view word) { return lower.find(word) != std::string::npos; };
  const auto fits = [&](const std::string& pattern) { return glob_matches({.pattern = pattern}, lower); };
  return std::ranges::any_of(kAlwaysMasked, is_in_name) || std::ranges::any_of(patterns_, fits);
}

std::string Mask::shown(std::string_view json) const {
  const auto document = parsed(json);
  if (!document) return {};
  std::string out;
  json::Writer writer(out);
  json::copy(
      writer, document->root(), [this](std::string_view name) { return covers(name); }, kMasked);
  return out;
}

std::string Mask::redacted(std::string_view json) const {
  constexpr std::size_t kRowMax = 256UL << 20U;  // of a database, with its bytes as base64
  const auto document = parsed(json, kRowMax);
  if (!document) return {};
  std::string out;
  json::Writer writer(out);
  Redaction(writer, *this).copy(document->root());
  return out;
}

std::optional<std::string_view> Mask::covered_front(std::string_view path) const {
  constexpr std::string_view kQuoted = "[\"";
  if (!path.starts_with('$')) return std::nullopt;
  const auto hides = [this](std::string_view name) { return name.ends_with(kCutOff) || covers(name); };
  for (std::size_t at = 1; at < path.size();) {
    if (path.substr(at).starts_with(kQuoted)) {
      const std::size_t end = end_of_covered_step(path, at + kQuoted.size(), hides);
      if (end != std::string_view::npos) return path.substr(0, end);
    }
    const std::size_t end = std::min(path.find_first_of(".[", at + 1), path.size());
    if (path[at] == '.' && covers(path.substr(at + 1, end - at - 1))) return path.substr(0, end);
    at = end;
  }
  return std::nullopt;
}

Failure Mask::told(Failure failure) const {
  const auto front = covered_front(failure.where);
  if (!front) return failure;
  failure.message = std::string(reason_of(failure.message)) +
                    "what is wrong with a masked value is not told" +
                    std::string(position_of(failure.message));
  failure.where = std::string(*front);
  return failure;
}

// Whatever lies in a covered member: keys too, since the whole of it is masked.
class Secrets::Collector {
 public:
  Collector(Secrets& secrets, const Mask& mask) : secrets_(secrets), mask_(mask) {}

  void look_into(const json::Value& value) {
    value.each_element([&](const json::Value& element) { return look_into(element), true; });
    value.each_member([&](std::string_view key, const json::Value& member) {
      if (mask_.covers(key)) take(member);
      else look_into(member);
      return true;
    });
  }

 private:
  void take(const json::Value& value) {
    value.each_element([&](const json::Value& element) { return take(element), true; });
    value.each_member([&](std::string_view key, const json::Value& member) {
      secrets_.add(key);
      take(member);
      return true;
    });
    if (const auto text = value.string()) secrets_.add(*text);
    if (value.type() == json::Type::integer || value.type() == json::Type::number) take_number(value);
  }

  void take_number(const json::Value& value) {
    std::string text;
    json::Writer writer(text);
    value.write_scalar(writer);
    secrets_.add(text);
  }

  Secrets& secrets_;
  const Mask& mask_;
};

Secrets::Secrets(const Mask& mask, std::string_view arguments) : mask_(mask) {
  if (const auto document = parsed(arguments)) Collector(*this, mask_).look_into(document->root());
  sort_uniquely(forms_);
}

void Secrets::add(std::string_view secret) {
  if (secret.size() < kShortest) return;
  forms_.emplace_back(secret);
  for (std::string form : {escaped(secret, std::numeric_limits<std::size_t>::max()), as_json(secret)})
    if (form != secret) forms_.push_back(std::move(form));
}

std::string Secrets::hidden_in(std::string_view text) const {
  if (forms_.empty()) return std::string(text);
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t secret = length_at_front(text.substr(at), forms_, {kShortest, kShortestPart});
    if (secret > 0) out += kMasked;
    else out += text[at];
    at += std::max<std::size_t>(secret, 1);
  }
  return out;
}

Failure Secrets::hidden_in(Failure failure) const {
  failure = mask_.told(std::move(failure));
  failure.message = hidden_in(failure.message);
  failure.where = hidden_in(failure.where);
  return failure;
}

}  // namespace tenure::queue
