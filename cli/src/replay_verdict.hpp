#pragma once

#include "show_text.hpp"

#include <tenure/replay/capsule.hpp>
#include <tenure/replay/replay_report.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

// What a replay has shown, in words.
namespace tenure::cli {

struct ReplayVerdict {
  const replay::Capsule& capsule;
  const replay::Expectation& expected;
  replay::ReplayReport report;
  std::string ended =
      {};  // "signal 11 (Segmentation fault)": by what the process ended in the run; empty: it did not

  [[nodiscard]] bool is_as_expected() const { return ended.empty() && !report.difference; }
  // One line where it is as expected, else the first difference as rows.
  [[nodiscard]] std::string text(const ShowStyle& style) const;
  // The document; `kept` is the scratch folder, or empty.
  [[nodiscard]] std::string json(const std::filesystem::path& file, const std::filesystem::path& kept) const;

 private:
  // Where the process has ended there is no report of the difference.
  [[nodiscard]] replay::Difference difference() const;
};

[[nodiscard]] std::string quoted_step(std::string_view step);
// "but \"a\", \"b\"", "and had none".
[[nodiscard]] std::string steps_text(const std::vector<std::string>& steps);

}  // namespace tenure::cli
