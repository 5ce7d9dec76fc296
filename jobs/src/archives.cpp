#include "in_place.hpp"

#include <tenure/jobs/detail/archives.hpp>

namespace tenure {

std::string PayloadWriter::write_root(const void* value, Write write_value) {
  detail::run_user_code([&] { write_value(*this, value); }, [this] { return output_.path(); });
  return output_.take();
}

void PayloadWriter::write_fields(const void* value, Write user_code) {
  detail::OutputFrame frame(output_, detail::OutputFrame::Form::object);
  const detail::InPlace<detail::OutputFrame*> in_place(frame_, &frame);
  detail::run_user_code([&] { user_code(*this, value); }, [this] { return output_.path(); });
  frame.close();
}

void PayloadReader::read_fields(const json::Value& at, void* value, Read user_code) {
  detail::InputFrame frame(input_, at);
  const detail::InPlace<detail::InputFrame*> in_place(frame_, &frame);
  detail::run_user_code([&] { user_code(*this, value); }, [&] { return frame.path(); });
  frame.close();
}

void PayloadReader::rethrow_at_root() {
  detail::rethrow_from_user_code([] { return std::string{"$"}; });
}

}  // namespace tenure
