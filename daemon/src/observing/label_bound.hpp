#pragma once

#include "metric.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace tenure::daemon {

// The values of one label, at most so many: the first that are met have one of their own, and all others are `_other`. The numbers of
// queues and kinds are counted by before their names are known.
// Threads: one at a time.
class LabelBound {
 public:
  static constexpr std::size_t kMax = 200;
  // Of whatever came too late.
  static constexpr std::size_t kOther = kMax;

  // The place of what has that number. kOther is counted as folded.
  [[nodiscard]] std::size_t place_of(std::int64_t number);
  // The same, and where it has none kOther, which is not counted.
  [[nodiscard]] std::size_t known_place_of(std::int64_t number) const;
  void name(std::int64_t number, std::string_view name);
  // As the store has named them, each by its number.
  template <class Numbers>
  void name_all(const Numbers& numbers, const std::vector<std::string>& names) {
    for (std::size_t index = 0; index < numbers.size(); ++index) name(numbers[index].value, names[index]);
  }
  // Nothing while its name is not known.
  [[nodiscard]] std::optional<std::string> label(std::size_t place) const;
  [[nodiscard]] std::int64_t folded() const { return folded_; }

 private:
  std::unordered_map<std::int64_t, std::size_t> places_;
  std::vector<std::string> names_;  // empty: not known
  std::int64_t folded_ = 0;
};

// The same of names that are known: which of these have a label of their own.
class LabelNames {
 public:
  // The name, or `_other`.
  [[nodiscard]] std::string label(const std::string& name);

 private:
  std::unordered_map<std::string, bool> names_;
};

}  // namespace tenure::daemon
