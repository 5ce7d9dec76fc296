#pragma once

#include <map>
#include <string>
#include <string_view>

namespace tenure::testing {

// A page of metrics in the text format of Prometheus (0.0.4), read as strictly as the format is written, and by the rules that
// `promtool check metrics` has besides: each family is declared once, with help and type, before its samples, which stand together; no
// series stands twice; counters end in _total and nothing else does; the buckets of a histogram grow and end at +Inf with its count.
class PrometheusText {
 public:
  // Throws std::runtime_error with the line that breaks a rule, and the rule.
  explicit PrometheusText(std::string_view page);

  // Of a series as the page writes it: `tenure_jobs{queue="default",state="ready"}`. Throws where it is not there.
  [[nodiscard]] double value(const std::string& series) const;
  [[nodiscard]] bool has(const std::string& series) const { return values_.contains(series); }
  // The type of each family, by its name.
  [[nodiscard]] const std::map<std::string, std::string>& types() const { return types_; }
  [[nodiscard]] const std::map<std::string, double>& values() const { return values_; }

 private:
  std::map<std::string, std::string> types_;
  std::map<std::string, double> values_;
};

}  // namespace tenure::testing
