#pragma once

#include <tenure/base/base64.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/jobs/payload.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The part of writing that no type matters to: text, limits, paths, canonical order.
namespace tenure::detail {

// Runs a user's function so that nothing but tenure::Error leaves it, and none without a path.
void run_user_code(FunctionRef<void()> code, FunctionRef<std::string()> path);
// The same in a catch block, for what was thrown.
[[noreturn]] void rethrow_from_user_code(FunctionRef<std::string()> path);

class PayloadOutput {
 public:
  PayloadOutput(PayloadContext& context, const PayloadLimits& limits);

  void null();
  void boolean(bool value);
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  void number(double value);
  void string(std::string_view value);
  void reference(std::string_view gid);

  // Where the value stands that is written now; after an exception, the one that it broke off.
  [[nodiscard]] std::string path() const;
  [[noreturn]] void refuse(std::string_view reason, std::string_view sentence) const;
  // The whole text, once the root is written.
  [[nodiscard]] std::string take();
  [[nodiscard]] std::size_t size() const { return text_.size(); }
  [[nodiscard]] std::string_view text_from(std::size_t begin) const {
    return std::string_view{text_}.substr(begin);
  }

  // One more level of nesting, until destroyed.
  class Level {
   public:
    explicit Level(PayloadOutput& output);
    ~Level() { --output_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    PayloadOutput& output_;
  };

 private:
  friend class OutputFrame;
  using Step = std::variant<std::string, std::size_t>;

  void written() const;
  // Whatever the text has grown by since `begin` is the value; without it the arguments would be lost unseen.
  void require_written_since(std::size_t begin) const;
  void require_json() const;
  void enter(Step step);

  PayloadContext& context_;
  PayloadLimits limits_;
  std::string text_;
  std::vector<Step> steps_;
  std::size_t depth_ = 0;
  std::size_t elements_ = 0;
};

// An object or array under construction. What must be sorted is, when it is closed.
class OutputFrame {
 public:
  enum class Form : std::uint8_t { object, array, sorted_array };

  OutputFrame(PayloadOutput& output, Form form);

  void field(std::string_view key, FunctionRef<void()> write);
  void element(FunctionRef<void()> write);
  void close();

 private:
  struct Item {
    std::string key;
    std::size_t begin, end;
  };
  void item(std::string key, PayloadOutput::Step step, FunctionRef<void()> write);
  void write_sorted(char open, char shut);

  PayloadOutput& output_;
  PayloadOutput::Level level_;
  Form form_;
  std::size_t start_;
  std::size_t count_ = 0;
  std::vector<Item> items_;
};

}  // namespace tenure::detail
