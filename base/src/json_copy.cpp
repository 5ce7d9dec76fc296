#include <tenure/base/json_copy.hpp>

namespace tenure::json {
namespace {

class JsonCopy {
 public:
  JsonCopy(Writer& writer, FunctionRef<bool(std::string_view)> is_hidden, std::string_view instead)
      : writer_(writer), is_hidden_(is_hidden), instead_(instead) {}

  void copy(const Value& value) {
    switch (value.type()) {
      case Type::null:
      case Type::boolean:
      case Type::integer:
      case Type::number:
      case Type::string:
        return value.write_scalar(writer_);
      case Type::array:
        return copy_array(value);
      case Type::object:
        return copy_object(value);
    }
  }

 private:
  void copy_object(const Value& value) {
    writer_.begin_object();
    value.each_member([&](std::string_view key, Value member) {
      writer_.key(key);
      if (is_hidden_(key)) writer_.string(instead_);
      else copy(member);
      return true;
    });
    writer_.end_object();
  }

  void copy_array(const Value& value) {
    writer_.begin_array();
    value.each_element([&](Value element) {
      copy(element);
      return true;
    });
    writer_.end_array();
  }

  Writer& writer_;
  FunctionRef<bool(std::string_view)> is_hidden_;
  std::string_view instead_;
};

}  // namespace

void copy(Writer& writer, const Value& value, FunctionRef<bool(std::string_view name)> is_hidden,
          std::string_view instead) {
  JsonCopy(writer, is_hidden, instead).copy(value);
}

void copy(Writer& writer, const Value& value) {
  copy(writer, value, [](std::string_view) { return false; }, {});
}

}  // namespace tenure::json
