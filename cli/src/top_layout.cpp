#include "top_layout.hpp"

#include "table.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>

namespace tenure::cli {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kPartGap = 2;          // between parts of a line
constexpr std::size_t kTableGap = 3;         // between tables
constexpr std::size_t kTablesWideMin = 100;  // columns for three tables beside each other
constexpr std::size_t kTextRows = 20;        // of a table, for whoever reads lines
constexpr std::size_t kTextColumnsMax = 10'000;

// On a screen a name gives way to numbers, and never goes.
struct Table {
  std::vector<TableColumn> columns;
  std::vector<std::vector<std::string>> rows;
};

std::string length_text(const std::optional<milliseconds>& length, const ShowStyle& style) {
  if (!length) return "-";
  return style.terminal ? duration_text(*length)
                        : fmt::format("{:.1f}", std::chrono::duration<double>(*length).count());
}

// A few seconds to a tenth: there it makes a difference.
std::string latency_text(const std::optional<milliseconds>& latency, const ShowStyle& style) {
  const bool is_some_seconds =
      latency && *latency >= std::chrono::seconds{1} && *latency < std::chrono::seconds{10};
  return is_some_seconds && style.terminal ? seconds_text(*latency) : length_text(latency, style);
}

std::string share_text(const std::optional<double>& share) {
  constexpr double kHundred = 100;
  return share ? fmt::format("{:.0f} %", *share * kHundred) : "-";
}

TableColumn name_column(std::string_view title) {
  return {.title = std::string(title), .kept = true, .cut = true};
}
TableColumn number_column(std::string_view title, int rank) {
  return {.title = std::string(title), .right = true, .rank = rank};
}

Table tenants_of(const TopPicture& picture, const ShowStyle& style) {
  Table table{{name_column("TENANT"), number_column("READY", 0), number_column("RUN", 1),
               number_column("OLDEST", 3), number_column("SHARE", 2)},
              {}};
  for (const TopPicture::Tenant& each : picture.tenants)
    table.rows.push_back({escaped(each.name), number_text(each.ready, style),
                          number_text(each.running, style), length_text(each.oldest, style),
                          share_text(each.share)});
  return table;
}

Table queues_of(const TopPicture& picture, const ShowStyle& style) {
  Table table{
      {name_column("QUEUE"), number_column("READY", 0), number_column("RUN", 1), number_column("OLDEST", 2)},
      {}};
  for (const TopPicture::Queue& each : picture.queues)
    table.rows.push_back({escaped(each.name), number_text(each.ready, style),
                          number_text(each.running, style), length_text(each.oldest, style)});
  return table;
}

Table kinds_of(const TopPicture& picture, const ShowStyle& style) {
  Table table{{name_column("KIND"), number_column("RUN", 0), number_column("P99", 1)}, {}};
  for (const TopPicture::Kind& each : picture.kinds)
    table.rows.push_back(
        {escaped(each.name), number_text(each.running, style), latency_text(each.p99, style)});
  return table;
}

Table workers_of(const TopPicture& picture, const ShowStyle& style) {
  Table table{{number_column("PROCESS", 0),
               name_column("POOL"),
               number_column("PID", 3),
               {.title = "STATE", .rank = 1},
               number_column("BUSY", 0),
               number_column("MEMORY", 2),
               number_column("UP", 4)},
              {}};
  for (const TopPicture::Worker& each : picture.workers)
    table.rows.push_back({std::to_string(each.process), escaped(each.pool), std::to_string(each.pid),
                          escaped(each.state), fmt::format("{}/{}", each.performing, each.slots),
                          each.memory_bytes == 0 ? "-" : bytes_text(each.memory_bytes, style),
                          length_text(each.up, style)});
  return table;
}

Table table_of(const TopPicture& picture, TopTable which, const ShowStyle& style) {
  switch (which) {
    case TopTable::tenants:
      return tenants_of(picture, style);
    case TopTable::queues:
      return queues_of(picture, style);
    case TopTable::kinds:
      return kinds_of(picture, style);
    case TopTable::workers:
      break;
  }
  return workers_of(picture, style);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines = split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::string cut_to(const std::string& line, std::size_t columns) {
  if (character_count(line) <= columns) return line;
  return columns == 0 ? "" : std::string(first_characters(line, columns - 1)) + "…";
}

std::string padded(const std::string& line, std::size_t columns) {
  const std::string fitted = cut_to(line, columns);
  return fitted + std::string(columns - character_count(fitted), ' ');
}

// Parts one after the other, as many to a line as fit.
std::vector<std::string> in_lines(std::span<const std::string> parts, std::size_t columns) {
  std::vector<std::string> lines;
  for (const std::string& part : parts) {
    if (!lines.empty() && character_count(lines.back()) + kPartGap + character_count(part) <= columns)
      lines.back() += std::string(kPartGap, ' ') + part;
    else lines.push_back(cut_to(part, columns));
  }
  return lines;
}

std::string rate_text(double rate) {
  constexpr double kTen = 10;
  return rate < kTen && rate != std::round(rate) ? fmt::format("{:.1f}/s", rate)
                                                 : fmt::format("{:.0f}/s", rate);
}

std::string store_text(const TopPicture& picture, const ShowStyle& style) {
  if (!picture.size_bytes) return "";
  return fmt::format("sqlite {}, wal {}", bytes_text(*picture.size_bytes, style),
                     bytes_text(picture.wal_bytes.value_or(0), style));
}

// What can be left out stands last.
std::vector<std::string> head_parts(const TopPicture& picture, const ShowStyle& style) {
  std::vector<std::string> parts;
  if (!picture.daemon) {
    parts.push_back(escaped(picture.problem));
  } else {
    const TopPicture::Daemon& daemon = *picture.daemon;
    parts.push_back(fmt::format("tenured {} {}", escaped(daemon.version), escaped(daemon.node)));
    parts.push_back("up " + duration_text(daemon.up));
    parts.push_back(fmt::format("in {}  out {}  failed {}", rate_text(daemon.in), rate_text(daemon.out),
                                rate_text(daemon.failed)));
    const ShowStyle people{.terminal = true};
    parts.push_back(fmt::format("delay p50 {}  p99 {}", latency_text(daemon.delay_p50, people),
                                latency_text(daemon.delay_p99, people)));
  }
  if (const std::string store = store_text(picture, style); !store.empty()) parts.push_back(store);
  return parts;
}

std::vector<std::string> head_lines(const TopPicture& picture, std::size_t columns, std::size_t lines_max,
                                    const ShowStyle& style) {
  std::vector<std::string> parts = head_parts(picture, style);
  std::vector<std::string> lines = in_lines(parts, columns);
  while (lines.size() > lines_max && parts.size() > 1) {
    parts.pop_back();
    lines = in_lines(parts, columns);
  }
  return lines;
}

// "SLOTS [######################..] 22 of 24   general 16/16  heavy 6/8"
std::string slots_line(const TopPicture& picture, std::size_t columns) {
  constexpr std::size_t kBarWide = 24, kBarNarrow = 10, kWideMin = 60;
  std::int64_t busy = 0, slots = 0;
  std::string pools;
  for (const TopPicture::Pool& pool : picture.pools) {
    busy += pool.busy;
    slots += pool.slots;
    pools += fmt::format("{}{} {}/{}{}{}", pools.empty() ? "" : "  ", escaped(pool.name), pool.busy,
                         pool.slots, pool.reserved > 0 ? fmt::format(" ({} reserved)", pool.reserved) : "",
                         pool.is_quiet ? " quiet" : "");
  }
  const std::size_t bar = columns < kWideMin ? kBarNarrow : kBarWide;
  const std::size_t full =
      slots == 0 ? 0
                 : static_cast<std::size_t>(std::min(busy, slots)) * bar / static_cast<std::size_t>(slots);
  return cut_to(fmt::format("SLOTS [{}{}] {} of {}   {}", std::string(full, '#'),
                            std::string(bar - full, '.'), busy, slots, pools),
                columns);
}

struct KeyHelp {
  std::string_view key, text;
};
constexpr std::array kKeys{KeyHelp{"q", "quit"}, KeyHelp{"t", "tenants"}, KeyHelp{"u", "queues"},
                           KeyHelp{"k", "kinds"}, KeyHelp{"w", "workers"}};

std::string key_line(const std::string& why, std::size_t columns) {
  std::string line;
  // As long as it fits, and the rest does not stand alone behind it.
  const auto add = [&](const std::string& part) {
    const std::string longer = line.empty() ? part : line + std::string(kTableGap, ' ') + part;
    const bool fits = character_count(longer) <= columns;
    if (fits) line = longer;
    return fits;
  };
  for (const KeyHelp& each : kKeys)
    if (!add(fmt::format("{} {}", each.key, each.text))) return line;
  if (!why.empty() && !add("enter why " + why)) (void)add("enter why");
  return line;
}

// The first row that is shown, so that the chosen one is among so many.
std::size_t first_row(std::size_t chosen, std::size_t shown) {
  return chosen < shown ? 0 : chosen - shown + 1;
}

// The header and at most so many rows, from the one of that number on.
std::vector<std::string> table_lines(const Table& table, std::size_t first, std::size_t rows_max,
                                     std::size_t columns) {
  const auto all = std::ssize(table.rows);
  const auto from = std::min(static_cast<std::ptrdiff_t>(first), all);
  const auto until = std::min(from + static_cast<std::ptrdiff_t>(rows_max), all);
  const std::vector<std::vector<std::string>> rows(table.rows.begin() + from, table.rows.begin() + until);
  std::vector<std::string> lines = lines_of(table_text(table.columns, rows, {.columns_max = columns}));
  for (std::string& line : lines) line = cut_to(line, columns);
  return lines;
}

struct TablePlace {
  TopTable which;
  std::size_t from = 0, columns = 0;
};

constexpr std::array kBeside{TopTable::tenants, TopTable::queues, TopTable::kinds};

// Each as wide as its rows are where all find room, else by what it has to say.
std::vector<TablePlace> places_of(const TopPicture& picture, TopTable chosen, std::size_t columns,
                                  const ShowStyle& style) {
  if (columns < kTablesWideMin || chosen == TopTable::workers) return {{chosen, 0, columns}};
  constexpr std::array<std::size_t, 3> kParts{40, 34, 26};  // of a hundred
  const std::size_t room = columns - 2 * kTableGap;
  std::array<std::size_t, 3> widths{};
  for (std::size_t at = 0; at < kBeside.size(); ++at) {
    const Table table = table_of(picture, kBeside[at], style);
    for (const std::string& line : table_lines(table, 0, table.rows.size(), columns))
      widths[at] = std::max(widths[at], character_count(line));
  }
  if (std::accumulate(widths.begin(), widths.end(), std::size_t{0}) > room)
    for (std::size_t at = 0; at < widths.size(); ++at) widths[at] = room * kParts[at] / 100;
  std::vector<TablePlace> places;
  std::size_t from = 0;
  for (std::size_t at = 0; at < kBeside.size(); ++at) {
    places.push_back({kBeside[at], from, widths[at]});
    from += widths[at] + kTableGap;
  }
  return places;
}

void add_tables(Frame& frame, const TopPicture& picture, const TopChoice& choice, std::size_t columns,
                std::size_t height, const ShowStyle& style) {
  const std::size_t rows = height > 0 ? height - 1 : 0;
  const std::size_t top = frame.lines.size();
  frame.lines.resize(top + height);
  for (const TablePlace& place : places_of(picture, choice.table, columns, style)) {
    const bool is_chosen = place.which == choice.table;
    const std::size_t first = is_chosen ? first_row(choice.row, std::max<std::size_t>(rows, 1)) : 0;
    const Table table = table_of(picture, place.which, style);
    const auto lines = table_lines(table, first, rows, place.columns);
    for (std::size_t at = 0; at < std::min(lines.size(), height); ++at)
      frame.lines[top + at] = padded(frame.lines[top + at], place.from) + lines[at];
    if (!is_chosen || choice.row >= table.rows.size() || rows == 0) continue;
    frame.marked = top + 1 + choice.row - first;
    frame.marked_from = place.from;
    frame.marked_size = place.columns;
  }
}

std::string why_of(const TopPicture& picture, const TopChoice& choice) {
  if (choice.table == TopTable::workers) return "";
  const auto names = names_of_rows(picture, choice.table);
  return choice.row < names.size() ? escaped(names[choice.row]) : "";
}

}  // namespace

Frame top_frame(const TopPicture& picture, const TopChoice& choice, TerminalSize size) {
  const auto columns = static_cast<std::size_t>(std::max(size.columns, 1));
  const auto rows = static_cast<std::size_t>(std::max(size.rows, 1));
  constexpr std::size_t kThird = 3, kHeadMax = 4;
  const ShowStyle style{.terminal = true, .now = picture.at};
  Frame frame;
  frame.lines = head_lines(picture, columns, std::clamp<std::size_t>(rows / kThird, 1, kHeadMax), style);
  if (picture.daemon) frame.lines.push_back(slots_line(picture, columns));
  if (frame.lines.size() + 1 < rows)
    add_tables(frame, picture, choice, columns, rows - frame.lines.size() - 1, style);
  frame.lines.resize(rows);
  frame.lines.back() = key_line(why_of(picture, choice), columns);
  for (std::string& line : frame.lines) line.erase(line.find_last_not_of(' ') + 1);
  return frame;
}

std::string top_text(const TopPicture& picture, const ShowStyle& style) {
  const std::vector<std::string> parts = head_parts(picture, style);
  std::size_t columns = 120;
  for (const std::string& part : parts) columns = std::max(columns, character_count(part));  // nothing is cut
  std::string out;
  for (const std::string& line : in_lines(parts, columns)) out += line + '\n';
  if (picture.daemon) out += slots_line(picture, kTextColumnsMax) + '\n';
  for (const TopTable which : {TopTable::tenants, TopTable::queues, TopTable::kinds, TopTable::workers}) {
    Table table = table_of(picture, which, style);
    if (table.rows.empty()) continue;
    if (table.rows.size() > kTextRows) table.rows.resize(kTextRows);
    out += '\n' + table_text(table.columns, table.rows, {});
  }
  return out;
}

std::vector<std::string> names_of_rows(const TopPicture& picture, TopTable table) {
  std::vector<std::string> names;
  switch (table) {
    case TopTable::tenants:
      for (const auto& each : picture.tenants) names.push_back(each.name);
      break;
    case TopTable::queues:
      for (const auto& each : picture.queues) names.push_back(each.name);
      break;
    case TopTable::kinds:
      for (const auto& each : picture.kinds) names.push_back(each.name);
      break;
    case TopTable::workers:
      for (const auto& each : picture.workers) names.push_back(std::to_string(each.process));
      break;
  }
  return names;
}

}  // namespace tenure::cli
