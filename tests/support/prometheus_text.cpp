#include "prometheus_text.hpp"

#include <cmath>
#include <cstdlib>
#include <optional>
#include <regex>
#include <set>
#include <stdexcept>

namespace tenure::testing {
namespace {

constexpr std::string_view kUpTo = "le=\"";

class Reader {
 public:
  Reader(std::map<std::string, std::string>& types, std::map<std::string, double>& values)
      : types_(types), values_(values) {}

  void read(std::string_view page) {
    require(!page.empty() && page.back() == '\n', "the page ends with a line feed");
    while (!page.empty()) {
      line_ = page.substr(0, page.find('\n'));
      page.remove_prefix(line_.size() + 1);
      if (line_.starts_with("# HELP ")) read_help();
      else if (line_.starts_with("# TYPE ")) read_type();
      else read_sample();
    }
    end_family();
  }

 private:
  void require(bool holds, const std::string& rule) const {
    if (!holds) throw std::runtime_error("\"" + std::string(line_) + "\": " + rule);
  }

  void read_help() {
    end_family();
    std::smatch match;
    const std::string line(line_);
    require(std::regex_match(line, match, std::regex("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (\\S.*)")),
            "is help with a name and a text");
    family_ = match[1];
    require(!types_.contains(family_), "each family is declared once");
  }

  void read_type() {
    std::smatch match;
    const std::string line(line_);
    require(std::regex_match(line, match, std::regex("# TYPE (\\S+) (counter|gauge|histogram)")),
            "is a name and a type");
    require(match[1] == family_, "the type follows the help");
    type_ = match[2];
    require(types_.emplace(family_, type_).second, "each family is declared once");
    require(family_.ends_with("_total") == (type_ == "counter"),
            "counters end in _total, and nothing else does");
  }

  void read_sample() {
    static const std::string label = R"re([a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")re";
    static const std::regex sample("([a-zA-Z_:][a-zA-Z0-9_:]*)(\\{(" + label + "(?:," + label +
                                   R"()*)\})? (\S+))");
    std::smatch match;
    const std::string line(line_);
    require(std::regex_match(line, match, sample), "is a series and a value");
    const std::string name = match[1];
    char* end = nullptr;
    const std::string number = match[4];
    const double value = std::strtod(number.c_str(), &end);
    require(*end == '\0', "the value is a number");
    require(types_.contains(family_) && !type_.empty(), "help and type come first");
    require(values_.emplace(name + match[2].str(), value).second, "a series stands once");
    if (type_ == "histogram") read_part_of_histogram(name, match[3], value);
    else require(name == family_, "the samples of a family stand together");
    require(type_ != "counter" || value >= 0, "a counter is not below 0");
    require(type_ == "gauge" || !std::isnan(value), "counts are numbers");
  }

  void read_part_of_histogram(const std::string& name, const std::string& labels, double value) {
    if (name == family_ + "_count") {
      counts_[labels] = value;
    } else if (name == family_ + "_bucket") {
      const std::size_t at = labels.rfind(kUpTo);
      require(at != std::string::npos, "a bucket has a bound");
      const std::string bound =
          labels.substr(at + kUpTo.size(), labels.find('"', at + kUpTo.size()) - at - kUpTo.size());
      std::string others = labels.substr(0, at);
      if (others.ends_with(',')) others.pop_back();
      auto& buckets = buckets_[others];
      const double number = bound == "+Inf" ? INFINITY : std::strtod(bound.c_str(), nullptr);
      require(buckets.empty() || (buckets.rbegin()->first < number && buckets.rbegin()->second <= value),
              "buckets grow");
      buckets[number] = value;
    } else {
      require(name == family_ + "_sum", "the samples of a family stand together");
    }
  }

  void end_family() {
    for (const auto& [labels, count] : counts_) {
      const auto found = buckets_.find(labels);
      require(found != buckets_.end() && std::isinf(found->second.rbegin()->first) &&
                  found->second.rbegin()->second == count,
              "the last bucket is +Inf and has the count");
    }
    require(counts_.size() == buckets_.size(), "a histogram has a count");
    counts_.clear();
    buckets_.clear();
    type_.clear();
  }

  std::map<std::string, std::string>& types_;
  std::map<std::string, double>& values_;
  std::string_view line_;
  std::string family_, type_;
  std::map<std::string, double> counts_;                     // by the other labels
  std::map<std::string, std::map<double, double>> buckets_;  // the same
};

}  // namespace

PrometheusText::PrometheusText(std::string_view page) { Reader(types_, values_).read(page); }

double PrometheusText::value(const std::string& series) const {
  const auto found = values_.find(series);
  if (found == values_.end()) throw std::runtime_error("the page has no " + series);
  return found->second;
}

}  // namespace tenure::testing
