#include "json_copy.hpp"

namespace tenure::cli {
namespace {

class JsonCopy {
 public:
  JsonCopy(json::Writer& writer, FunctionRef<bool(std::string_view)> is_hidden, std::string_view instead)
      : writer_(writer), is_hidden_(is_hidden), instead_(instead) {}

  void copy(const json::Value& value) {
    switch (value.type()) {
      case json::Type::null:
      case json::Type::boolean:
      case json::Type::integer:
      case json::Type::number:
      case json::Type::string:
        return value.write_scalar(writer_);
      case json::Type::array:
        return copy_array(value);
      case json::Type::object:
        return copy_object(value);
    }
  }

 private:
  void copy_object(const json::Value& value) {
    writer_.begin_object();
    value.each_member([&](std::string_view key, json::Value member) {
      writer_.key(key);
      if (is_hidden_(key)) writer_.string(instead_);
      else copy(member);
      return true;
    });
    writer_.end_object();
  }

  void copy_array(const json::Value& value) {
    writer_.begin_array();
    value.each_element([&](json::Value element) {
      copy(element);
      return true;
    });
    writer_.end_array();
  }

  json::Writer& writer_;
  FunctionRef<bool(std::string_view)> is_hidden_;
  std::string_view instead_;
};

}  // namespace

void copy_json(json::Writer& writer, const json::Value& value,
               FunctionRef<bool(std::string_view name)> is_hidden, std::string_view instead) {
  JsonCopy(writer, is_hidden, instead).copy(value);
}

void copy_json(json::Writer& writer, const json::Value& value) {
  copy_json(
      writer, value, [](std::string_view) { return false; }, "");
}

}  // namespace tenure::cli
