#include <tenure/base/exception_text.hpp>
#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>
#include <tenure/jobs/detail/payload_output.hpp>

#include <algorithm>
#include <new>

namespace tenure::detail {
namespace {

constexpr bool kChecksItsText = TENURE_CHECKS_ARGUMENTS;

PayloadLimits capped(PayloadLimits limits) {
  limits.bytes_max = std::min(limits.bytes_max, limits::kPayloadMax);
  return limits;
}

}  // namespace

void run_user_code(FunctionRef<void()> code, FunctionRef<std::string()> path) {
  try {
    code();
  } catch (...) {
    rethrow_from_user_code(path);
  }
}

void rethrow_from_user_code(FunctionRef<std::string()> path) {
  try {
    throw;
  } catch (const Error& error) {
    if (!error.failure().where.empty()) throw;
    Failure failure = error.failure();
    failure.message += text_of_nested(error);
    failure.where = path();
    raise(std::move(failure));
  } catch (const std::bad_alloc&) {
    raise(ErrorCode::out_of_memory, "there is no memory for the arguments", {}, path());
  } catch (const std::exception& error) {
    refuse("SerializeFailed",
           "the type's own function threw: " + escaped(text_of(error) + text_of_nested(error)), path());
  } catch (...) {
    refuse("SerializeFailed", "the type's own function threw what is no std::exception", path());
  }
}

PayloadOutput::PayloadOutput(PayloadContext& context, const PayloadLimits& limits)
    : context_(context), limits_(capped(limits)) {}

void PayloadOutput::null() {
  json::Writer(text_).null();
  written();
}

void PayloadOutput::boolean(bool value) {
  json::Writer(text_).boolean(value);
  written();
}

void PayloadOutput::integer(std::int64_t value) {
  json::Writer(text_).integer(value);
  written();
}

void PayloadOutput::unsigned_integer(std::uint64_t value) {
  json::Writer(text_).unsigned_integer(value);
  written();
}

void PayloadOutput::number(double value) {
  json::Writer(text_).number(value);
  written();
}

void PayloadOutput::string(std::string_view value) {
  if (value.size() > limits_.string_max)
    refuse("StringTooLong", "the string has more than " + std::to_string(limits_.string_max) + " bytes");
  json::Writer(text_).string(value);
  written();
}

void PayloadOutput::reference(std::string_view gid) {
  if (auto checked = context_.check(gid); !checked) {
    checked.error().where = path();
    raise(std::move(checked.error()));
  }
  const Level level(*this);
  json::Writer(text_).begin_object().key(kReferenceKey).string(gid).end_object();
  written();
}

std::string PayloadOutput::path() const {
  std::string path = "$";
  for (const Step& step : steps_)
    path += std::visit([](const auto& value) { return json::path_step(value); }, step);
  return path;
}

void PayloadOutput::refuse(std::string_view reason, std::string_view sentence) const {
  detail::refuse(reason, sentence, path());
}

std::string PayloadOutput::take() {
  // Steps are left standing by exceptions only.
  if (!steps_.empty()) refuse("SerializeFailed", "the type's own function hid an error");
  require_written_since(0);
  written();
  if (kChecksItsText) require_json();
  return std::move(text_);
}

void PayloadOutput::require_written_since(std::size_t begin) const {
  if (text_.size() == begin) refuse("SerializeFailed", "nothing was written for the value");
}

void PayloadOutput::require_json() const {
  const auto document =
      json::Document::parse(text_, {.bytes_max = limits_.bytes_max, .depth_max = limits_.depth_max});
  if (!document) refuse("SerializeFailed", "what was written is no JSON: " + document.error().message);
}

void PayloadOutput::written() const {
  if (text_.size() <= limits_.bytes_max) return;
  raise(ErrorCode::payload_too_large,
        "the arguments have more than the " + std::to_string(limits_.bytes_max) + " bytes that are allowed",
        {}, path());
}

void PayloadOutput::enter(Step step) {
  steps_.push_back(std::move(step));
  if (++elements_ > limits_.elements_max)
    refuse("TooManyElements", "the arguments have more than the " + std::to_string(limits_.elements_max) +
                                  " elements that are allowed");
}

PayloadOutput::Level::Level(PayloadOutput& output) : output_(output) {
  if (output.depth_ >= output.limits_.depth_max)
    output.refuse("TooDeep", "nested deeper than the " + std::to_string(output.limits_.depth_max) +
                                 " levels that are allowed");
  ++output.depth_;
}

OutputFrame::OutputFrame(PayloadOutput& output, Form form)
    : output_(output), level_(output), form_(form), start_(output.text_.size()) {
  if (form_ == Form::array) output_.text_ += '[';
}

void OutputFrame::item(std::string key, PayloadOutput::Step step, FunctionRef<void()> write) {
  const std::size_t depth = output_.steps_.size();
  output_.enter(std::move(step));
  const std::size_t begin = output_.text_.size();
  if (form_ == Form::object) {
    output_.string(key);
    output_.text_ += ':';
  }
  const std::size_t begin_of_value = output_.text_.size();
  write();
  output_.require_written_since(begin_of_value);
  output_.steps_.resize(depth);
  if (form_ == Form::array) return;
  const std::size_t end = output_.text_.size();
  if (form_ == Form::sorted_array) key = output_.text_.substr(begin, end - begin);
  items_.push_back({std::move(key), begin, end});
}

void OutputFrame::field(std::string_view key, FunctionRef<void()> write) {
  if (key == kReferenceKey) output_.refuse("WrongType", "the key $gid is kept for references to records");
  item(std::string(key), std::string(key), write);
}

void OutputFrame::element(FunctionRef<void()> write) {
  if (form_ == Form::array && count_ != 0) output_.text_ += ',';
  item({}, count_++, write);
}

void OutputFrame::close() {
  switch (form_) {
    case Form::object:
      write_sorted('{', '}');
      break;
    case Form::sorted_array:
      write_sorted('[', ']');
      break;
    case Form::array:
      output_.text_ += ']';
      break;
  }
  output_.written();
}

void OutputFrame::write_sorted(char open, char shut) {
  std::sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) { return a.key < b.key; });
  const auto twice = std::adjacent_find(items_.begin(), items_.end(),
                                        [](const Item& a, const Item& b) { return a.key == b.key; });
  if (twice != items_.end()) output_.refuse("DuplicateKey", "there are two of " + escaped(twice->key, 64));
  std::string sorted{open};
  sorted.reserve(output_.text_.size() - start_ + items_.size() + 2);
  for (const Item& item : items_) {
    if (sorted.size() > 1) sorted += ',';
    sorted.append(output_.text_, item.begin, item.end - item.begin);
  }
  sorted += shut;
  output_.text_.replace(start_, std::string::npos, sorted);
}

}  // namespace tenure::detail
