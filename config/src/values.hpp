#pragma once

#include <tenure/base/error.hpp>
#include <tenure/config/settings.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// The kinds of values that a setting can have: what is accepted, where it goes, how it is shown.
namespace tenure::config {

struct DurationRule {
  std::chrono::milliseconds min, max;
};
struct SizeRule {
  std::uint64_t min, max;    // bytes
  bool may_be_none = false;  // 0 too
};
struct IntegerRule {
  std::int64_t min, max;
};
struct BooleanRule {};
// The names of an enum's values, in their order from 0.
struct ChoiceRule {
  std::span<const std::string_view> names;
};
struct TextRule {
  std::string (*limits)();  // what `accepts` wants, in words
  bool (*accepts)(std::string_view);
};
struct TextListRule {
  TextRule element;
  std::size_t count_max;
  std::size_t count_min = 1;
};
// A list of tables { priority, slots }, each priority once.
struct ReservedRule {};
// Absolute, or from the folder of the configuration file on.
struct PathRule {
  bool may_be_empty;
  std::string_view word = {};  // is taken in place of a path; empty: none is
};
// The same with %{tenant}, and maybe %{bucket}, left in.
struct TenantPathRule {};

using Rule = std::variant<DurationRule, SizeRule, IntegerRule, BooleanRule, ChoiceRule, TextRule,
                          TextListRule, ReservedRule, PathRule, TenantPathRule>;

// An enum seen as the number of its value.
struct ChoiceField {
  void* value;
  std::size_t (*get)(const void* value);
  void (*set)(void* value, std::size_t index);
};
template <class Enum>
ChoiceField choice_field(Enum& value) {
  return {&value, [](const void* from) { return static_cast<std::size_t>(*static_cast<const Enum*>(from)); },
          [](void* to, std::size_t index) { *static_cast<Enum*>(to) = static_cast<Enum>(index); }};
}

// Where a setting's value is kept; of the type that its rule wants.
using Field =
    std::variant<std::string*, std::filesystem::path*, std::vector<std::string>*, std::vector<ReservedSlots>*,
                 std::int64_t*, std::uint64_t*, bool*, std::chrono::milliseconds*, ChoiceField>;

// A list of tables of whole numbers.
using RawTables = std::vector<std::map<std::string, std::int64_t>>;
struct OtherType {
  std::string_view name;  // "a table"
};
// A value as it was written, before anybody has judged it.
struct RawValue {
  std::variant<std::string, std::int64_t, bool, std::vector<std::string>, RawTables, OtherType> value;
  bool from_words =
      false;  // of an environment variable or an option, where numbers, booleans and lists are text too

  [[nodiscard]] std::string text() const;  // escaped, for messages
};

// BadConfiguration with the end of a sentence that begins with the key and the value. `config_dir` is what
// %{config_dir} stands for; empty where there is no file.
[[nodiscard]] Result<void> assign(const Rule& rule, const Field& field, const RawValue& raw,
                                  const std::filesystem::path& config_dir);

// As the file would say it.
[[nodiscard]] std::string value_text(const Rule& rule, const Field& field);
[[nodiscard]] std::string type_text(const Rule& rule);
[[nodiscard]] std::string limits_text(const Rule& rule);

}  // namespace tenure::config
