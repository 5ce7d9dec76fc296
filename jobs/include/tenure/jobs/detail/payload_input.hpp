#pragma once

#include <tenure/base/json.hpp>
#include <tenure/jobs/detail/payload_output.hpp>

#include <optional>
#include <vector>

// The part of reading that no type matters to.
namespace tenure::detail {

// A payload that passed every check that needs no type: size, JSON, depth, elements, strings, duplicate keys.
class PayloadInput {
 public:
  PayloadInput(std::string_view text, PayloadContext& context, const PayloadLimits& limits);

  [[nodiscard]] json::Value root() const { return document_.root(); }
  // The text of the reference that stands at `at`, checked by the context.
  [[nodiscard]] std::string_view reference(const json::Value& at);

  // WrongType unless there is an array or an object that is no reference.
  static void require_array(const json::Value& at);
  static void require_object(const json::Value& at);
  // The elements of an array of this very size; else MissingField or TrailingBytes.
  [[nodiscard]] static std::vector<json::Value> exactly(std::size_t size, const json::Value& at);

  class Level {
   public:
    Level(PayloadInput& input, const json::Value& at);
    ~Level() { --input_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    PayloadInput& input_;
  };

  std::size_t unknown_fields = 0;

 private:
  PayloadContext& context_;
  PayloadLimits limits_;
  json::Document document_;
  std::size_t depth_ = 0;
};

// OutOfRange for what the type cannot hold.
void read_number(const json::Value& at, double& value);
void read_number(const json::Value& at, float& value);

// An object from which a user type takes what it knows.
class InputFrame {
 public:
  InputFrame(PayloadInput& input, const json::Value& at);

  [[nodiscard]] std::optional<json::Value> field(std::string_view name);
  [[nodiscard]] json::Value required(std::string_view name);
  // Counts the fields that nobody asked for.
  void close();
  [[nodiscard]] std::string path() const { return at_.path(); }

 private:
  PayloadInput& input_;
  json::Value at_;
  PayloadInput::Level level_;
  std::size_t taken_ = 0;
};

}  // namespace tenure::detail
