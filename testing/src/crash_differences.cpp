#include "crash_state.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <set>

namespace tenure::testing::detail {
namespace {

constexpr std::size_t kPairsMax = 5;        // of one table
constexpr std::size_t kShownOfValue = 160;  // bytes

// A row of one state and the one of the other that has its key; not both are none.
struct RowPair {
  std::optional<StateRow> expected;
  std::optional<StateRow> got;
};

std::vector<StateRow> only_in(const std::vector<StateRow>& rows, const std::vector<StateRow>& others) {
  std::vector<StateRow> only;
  std::ranges::set_difference(rows, others, std::back_inserter(only));
  return only;
}

std::vector<RowPair> pairs_of(const std::vector<StateRow>& expected, const std::vector<StateRow>& got) {
  std::vector<StateRow> others = only_in(got, expected);
  std::vector<RowPair> pairs;
  for (StateRow& row : only_in(expected, got)) {
    const auto same = std::ranges::find_if(
        others, [&](const StateRow& other) { return !row.key.empty() && other.key == row.key; });
    RowPair pair{.expected = std::move(row), .got = std::nullopt};
    if (same != others.end()) {
      pair.got = std::move(*same);
      others.erase(same);
    }
    pairs.push_back(std::move(pair));
  }
  for (StateRow& row : others) pairs.push_back({.expected = std::nullopt, .got = std::move(row)});
  return pairs;
}

// What need not be shown of either.
std::set<std::string> names_alike(const RowPair& pair) {
  std::set<std::string> alike;
  if (!pair.expected || !pair.got) return alike;
  for (const StateValue& value : pair.expected->values)
    if (!value.is_key && std::ranges::find(pair.got->values, value) != pair.got->values.end())
      alike.insert(value.name);
  return alike;
}

std::string shown_value(std::string_view value) {
  std::string text = escaped(cut_utf8(value, kShownOfValue), kShownOfValue);
  if (value.size() > kShownOfValue) text += fmt::format("... ({} bytes)", value.size());
  return text;
}

std::string text_of_row(const std::optional<StateRow>& row, const std::set<std::string>& alike) {
  if (!row) return "nothing";
  std::string text;
  for (const StateValue& value : row->values) {
    if (alike.contains(value.name)) continue;
    if (!text.empty()) text += ", ";
    text += fmt::format("{}: {}", escaped(value.name), shown_value(value.text));
  }
  return "{" + text + "}";
}

void add_table(std::string& text, std::string_view title, const std::vector<RowPair>& pairs) {
  text += fmt::format("  {}\n", title);
  for (std::size_t at = 0; at < std::min(pairs.size(), kPairsMax); ++at) {
    const std::set<std::string> alike = names_alike(pairs[at]);
    text += fmt::format("    expected  {}\n", text_of_row(pairs[at].expected, alike));
    text += fmt::format("    got       {}\n", text_of_row(pairs[at].got, alike));
  }
  if (pairs.size() > kPairsMax) text += fmt::format("    and {} more rows\n", pairs.size() - kPairsMax);
}

const std::vector<StateRow>& rows_of(const State& state, const std::string& title) {
  static const std::vector<StateRow> none;
  const auto found = state.find(title);
  return found == state.end() ? none : found->second;
}

}  // namespace

std::string differences(const State& expected, const State& got) {
  std::set<std::string> titles;
  for (const State* const state : {&expected, &got})
    for (const auto& [title, rows] : *state) titles.insert(title);
  std::string text;
  for (const std::string& title : titles) {
    const std::vector<RowPair> pairs = pairs_of(rows_of(expected, title), rows_of(got, title));
    if (!pairs.empty()) add_table(text, title, pairs);
  }
  return text;
}

}  // namespace tenure::testing::detail
