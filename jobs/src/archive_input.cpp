#include <tenure/jobs/detail/payload_input.hpp>
#include <tenure/queue/arguments.hpp>

#include <algorithm>
#include <cmath>

namespace tenure::detail {
namespace {

template <class Float>
void read_float(const json::Value& at, Float& value) {
  const double number = value_or_raise(at.number());
  value = static_cast<Float>(number);
  const bool inexact_integer = at.type() == json::Type::integer && static_cast<double>(value) != number;
  if (!std::isfinite(value) || inexact_integer)
    refuse("OutOfRange", "a float cannot hold the number", at.path());
}

}  // namespace

void read_number(const json::Value& at, double& value) { read_float(at, value); }
void read_number(const json::Value& at, float& value) { read_float(at, value); }

PayloadInput::PayloadInput(std::string_view text, PayloadContext& context, const PayloadLimits& limits)
    : context_(context), limits_(limits), document_(queue::checked_arguments(text, limits)) {}

std::string_view PayloadInput::reference(const json::Value& at) {
  const Level level(*this, at);
  const auto gid = at.member(kReferenceKey);
  if (!gid || at.size() != 1)
    refuse("WrongType", "a reference was expected, {\"$gid\": \"gid://...\"}", at.path());
  const std::string_view text = value_or_raise(gid->string());
  if (auto checked = context_.check(text); !checked) {
    checked.error().where = at.path();
    raise(std::move(checked.error()));
  }
  return text;
}

void PayloadInput::require_array(const json::Value& at) {
  if (at.type() != json::Type::array) refuse("WrongType", "an array was expected", at.path());
}

void PayloadInput::require_object(const json::Value& at) {
  if (at.type() != json::Type::object) refuse("WrongType", "an object was expected", at.path());
  if (at.member(kReferenceKey)) refuse("WrongType", "a reference stands where none was expected", at.path());
}

std::vector<json::Value> PayloadInput::exactly(std::size_t size, const json::Value& at) {
  require_array(at);
  if (at.size() < size)
    refuse("MissingField", "the array has fewer than its " + std::to_string(size) + " elements",
           at.path() + json::path_step(at.size()));
  std::vector<json::Value> elements;
  at.each_element([&](const json::Value& element) {
    if (elements.size() == size)
      refuse("TrailingBytes", "the array has more than its " + std::to_string(size) + " elements",
             element.path());
    elements.push_back(element);
    return true;
  });
  return elements;
}

PayloadInput::Level::Level(PayloadInput& input, const json::Value& at) : input_(input) {
  if (input.depth_ >= input.limits_.depth_max)
    refuse("TooDeep",
           "nested deeper than the " + std::to_string(input.limits_.depth_max) + " levels that are allowed",
           at.path());
  ++input.depth_;
}

InputFrame::InputFrame(PayloadInput& input, const json::Value& at)
    : input_(input), at_(at), level_(input, at) {
  PayloadInput::require_object(at_);
}

std::optional<json::Value> InputFrame::field(std::string_view name) {
  auto found = at_.member(name);
  if (found) ++taken_;
  return found;
}

json::Value InputFrame::required(std::string_view name) {
  const auto found = field(name);
  if (!found) refuse("MissingField", "the field is missing", path() + json::path_step(name));
  return *found;
}

void InputFrame::close() { input_.unknown_fields += at_.size() - std::min(at_.size(), taken_); }

}  // namespace tenure::detail
