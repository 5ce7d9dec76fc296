#include "table.hpp"

#include <tenure/base/text.hpp>

#include <algorithm>
#include <string_view>

namespace tenure::cli {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kCutMin = 16;  // characters that are worth showing of a free text

struct Placed {
  std::size_t index;
  std::size_t width;
};

std::size_t line_width(const std::vector<Placed>& shown) {
  std::size_t width = shown.empty() ? 0 : kGap * (shown.size() - 1);
  for (const Placed& column : shown) width += column.width;
  return width;
}

std::size_t shortened(const Placed& placed, const std::vector<TableColumn>& columns) {
  return columns[placed.index].cut ? std::min(placed.width, kCutMin) : placed.width;
}

std::size_t shortest_line(const std::vector<Placed>& shown, const std::vector<TableColumn>& columns) {
  std::size_t width = line_width(shown);
  for (const Placed& column : shown) width -= column.width - shortened(column, columns);
  return width;
}

void drop_what_does_not_fit(std::vector<Placed>& shown, const std::vector<TableColumn>& columns,
                            std::size_t columns_max) {
  while (columns_max != 0 && shortest_line(shown, columns) > columns_max) {
    const auto goes = [&](const Placed& p) { return columns[p.index].kept ? -1 : columns[p.index].rank; };
    const auto last = std::max_element(shown.rbegin(), shown.rend(),
                                       [&](const auto& a, const auto& b) { return goes(a) < goes(b); });
    if (last == shown.rend() || goes(*last) < 0) return;
    shown.erase(std::next(last).base());
  }
}

void shorten(std::vector<Placed>& shown, const std::vector<TableColumn>& columns, std::size_t columns_max) {
  for (Placed& column : shown) {
    const std::size_t width = line_width(shown);
    if (columns_max == 0 || width <= columns_max) return;
    column.width -= std::min(width - columns_max, column.width - shortened(column, columns));
  }
}

// The first characters of it, the last of them a mark, where it is wider than that.
std::string fitted(const std::string& cell, std::size_t width) {
  if (character_count(cell) <= width) return cell;
  return std::string(first_characters(cell, width - 1)) + "…";
}

void append_line(std::string& out, const std::vector<Placed>& shown, const std::vector<TableColumn>& columns,
                 const std::vector<std::string>& cells) {
  std::string line;
  for (const Placed& column : shown) {
    const std::string cell = fitted(cells[column.index], column.width);
    const std::string padding(column.width - character_count(cell), ' ');
    if (!line.empty() || column.index != shown.front().index) line.append(kGap, ' ');
    line += columns[column.index].right ? padding + cell : cell + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

}  // namespace

std::string table_text(const std::vector<TableColumn>& columns,
                       const std::vector<std::vector<std::string>>& rows, const TableStyle& style) {
  std::vector<Placed> shown;
  std::vector<std::string> titles;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::size_t width = character_count(columns[i].title);
    for (const auto& row : rows) width = std::max(width, character_count(row[i]));
    shown.push_back({i, width});
    titles.push_back(columns[i].title);
  }
  drop_what_does_not_fit(shown, columns, style.columns_max);
  shorten(shown, columns, style.columns_max);
  std::string out;
  append_line(out, shown, columns, titles);
  if (style.bold_header) out = "\x1b[1m" + out.substr(0, out.size() - 1) + "\x1b[0m\n";
  for (const auto& row : rows) append_line(out, shown, columns, row);
  return out;
}

}  // namespace tenure::cli
