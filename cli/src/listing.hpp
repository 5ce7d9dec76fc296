#pragma once

#include "session.hpp"

#include <tenure/base/function_ref.hpp>
#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What all lists have in common: columns to choose from, a table with a count below it, or one JSON document.
namespace tenure::cli {

template <class Record>
struct ListColumn {
  std::string_view name;  // of --columns
  std::string_view title;
  std::string (*text)(const Record& record, const ShowStyle& style);  // printable
  bool right = false;
  bool kept = false;
  bool shown = true;  // without --columns
  bool cut = false;
  int rank = 0;
};

struct ListTotal {
  std::int64_t count = 0;
  bool capped = false;
  std::optional<std::string> next = std::nullopt;  // the cursor of the next page, where there is one
  // How many of the newest jobs were looked at for succeeded ones, where there are more.
  std::optional<std::int64_t> looked_at = std::nullopt;
};

// Says, where it is so, that older succeeded jobs were not looked at.
void note_scan(Session& session, const ListTotal& total);
[[noreturn]] void refuse_cursor(std::string_view noun);
[[noreturn]] void refuse_word(std::string_view what, std::string_view word,
                              std::span<const std::string_view> known);

template <class Record>
std::vector<std::string_view> column_names(std::span<const ListColumn<Record>> columns) {
  std::vector<std::string_view> names;
  names.reserve(columns.size());
  for (const auto& column : columns) names.push_back(column.name);
  return names;
}

template <class Record>
std::vector<const ListColumn<Record>*> chosen_columns(std::span<const ListColumn<Record>> columns,
                                                      const Session& session) {
  std::vector<const ListColumn<Record>*> chosen;
  for (const auto& column : columns)
    if (column.shown && !session.has("columns")) chosen.push_back(&column);
  if (!session.has("columns")) return chosen;
  const std::vector<std::string_view> names = column_names(columns);
  for (const std::string& word : split(session.option("columns"), ',')) {
    const auto found = std::find(names.begin(), names.end(), word);
    if (found == names.end()) refuse_word("column", word, names);
    chosen.push_back(&columns[static_cast<std::size_t>(found - names.begin())]);
  }
  return chosen;
}

template <class Record>
std::string list_text(const std::vector<const ListColumn<Record>*>& columns, std::span<const Record> records,
                      const ShowStyle& style, const TableStyle& table) {
  std::vector<TableColumn> heads;
  std::vector<std::vector<std::string>> rows(records.size());
  for (const auto* column : columns) {
    heads.push_back({std::string(column->title), column->right, column->kept, column->cut, column->rank});
    for (std::size_t i = 0; i < records.size(); ++i) rows[i].push_back(column->text(records[i], style));
  }
  return table_text(heads, rows, table);
}

template <class Record>
std::string list_table(std::span<const ListColumn<Record>> columns, std::span<const Record> records,
                       const Session& session) {
  return list_text(chosen_columns(columns, session), records, session.style(), session.table_style());
}

// What is listed: "kind", "kinds".
struct ListNoun {
  std::string_view one, many;
};

// "2 of 5; next page: --after ...".
void note_total(Session& session, const ListNoun& noun, std::int64_t shown, const ListTotal& total);

// Of all rows those of the page that --after asks for and `limit` bounds, with its cursor: what `name_of` says of a row, and of no other one.
template <class Record, class NameOf>
ListTotal take_page(const Session& session, std::size_t limit, std::string_view noun,
                    std::vector<Record>& rows, const NameOf& name_of) {
  ListTotal total{std::ssize(rows)};
  if (session.has("after")) {
    const auto last = std::ranges::find(rows, session.option("after"), name_of);
    if (last == rows.end()) refuse_cursor(noun);
    rows.erase(rows.begin(), last + 1);
  }
  if (rows.size() > limit) {
    rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(limit), rows.end());
    total.next = name_of(rows.back());
  }
  return total;
}

// `add` writes further members of the document.
template <class Record>
std::string list_json(std::string_view schema, std::span<const Record> records, const ListTotal& total,
                      void (*write)(json::Writer&, const Record&, WallTime now), WallTime now,
                      FunctionRef<void(json::Writer&)> add) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string(schema).key("items").begin_array();
  for (const Record& record : records) write(writer, record, now);
  writer.end_array().key("next");
  if (total.next) writer.string(to_utf8(*total.next));
  else writer.null();
  writer.key("count").integer(total.count).key("capped").boolean(total.capped);
  if (total.looked_at) writer.key("looked_at").integer(*total.looked_at);
  add(writer);
  writer.end_object();
  return out;
}

inline constexpr auto kNoMembers = [](json::Writer&) {};

// Where `total_of` takes its time, the page is there before: it is asked behind it, but for --json, where all is one document.
template <class Record>
ExitCode print_counted_list(Session& session, std::string_view schema, const ListNoun& noun,
                            std::span<const ListColumn<Record>> columns, std::span<const Record> records,
                            FunctionRef<ListTotal()> total_of,
                            void (*write)(json::Writer&, const Record&, WallTime now),
                            FunctionRef<void(json::Writer&)> add = kNoMembers) {
  (void)chosen_columns(columns, session);  // a bad --columns is refused, also with --json or without rows
  if (!session.json() && !records.empty()) session.print(list_table(columns, records, session));
  const ListTotal total = total_of();
  if (session.json()) session.print_json(list_json(schema, records, total, write, session.now(), add));
  else note_total(session, noun, std::ssize(records), total);
  return session.has("fail-if-any") && total.count > 0 ? ExitCode::refused : ExitCode::done;
}

template <class Record>
ExitCode print_list(Session& session, std::string_view schema, const ListNoun& noun,
                    std::span<const ListColumn<Record>> columns, std::span<const Record> records,
                    const ListTotal& total, void (*write)(json::Writer&, const Record&, WallTime now),
                    FunctionRef<void(json::Writer&)> add = kNoMembers) {
  return print_counted_list<Record>(
      session, schema, noun, columns, records, [&] { return total; }, write, add);
}

struct SortOrder {
  std::string field;
  bool descending = false;
};
// --sort FIELD[:asc|:desc]; BadOptions names the fields.
[[nodiscard]] std::optional<SortOrder> sort_order(const Session& session,
                                                  std::span<const std::string_view> fields);

void write_time(json::Writer& writer, std::string_view key, const std::optional<WallTime>& time);
void write_text(json::Writer& writer, std::string_view key, std::string_view text);  // made UTF-8
// Inside an object that the caller opened.
void write_tenant_members(json::Writer& writer, const queue::TenantSummary& tenant, WallTime now);

}  // namespace tenure::cli
