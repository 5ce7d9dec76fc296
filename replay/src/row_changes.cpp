#include "tables.hpp"

#include <tenure/base/base64.hpp>
#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>
#include <tenure/replay/row_changes.hpp>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <tuple>
#include <variant>

namespace tenure::replay {
namespace {

class CellWriter {
 public:
  explicit CellWriter(json::Writer& writer) : writer_(writer) {}
  void operator()(std::nullptr_t) { writer_.null(); }
  void operator()(std::int64_t value) { writer_.integer(value); }
  void operator()(double value) {
    if (std::isfinite(value)) writer_.number(value);
    else write_special("$real", value > 0 ? "Infinity" : "-Infinity");
  }
  void operator()(const std::string& text) {
    if (is_utf8(text)) writer_.string(text);
    else (*this)(Bytes{{as_bytes(text).begin(), as_bytes(text).end()}});
  }
  void operator()(const Bytes& bytes) { write_special("$base64", base64_of(bytes)); }

 private:
  void write_special(std::string_view key, std::string_view text) {
    writer_.begin_object().key(key).string(text).end_object();
  }
  json::Writer& writer_;
};

using ChangedColumn = sqlite::ChangedRow::Column;
using Value = std::optional<sqlite::Cell> ChangedColumn::*;

// Empty where no column has a value of that side.
template <class IsShown>
std::string json_of_row(const sqlite::ChangedRow& row, Value value, IsShown&& is_shown) {
  std::string json;
  json::Writer writer(json);
  CellWriter cells(writer);
  writer.begin_object();
  bool has_any = false;
  for (const ChangedColumn& column : row.columns) {
    if (!(column.*value) || !is_shown(column)) continue;
    writer.key(to_utf8(column.name));
    std::visit(cells, *(column.*value));
    has_any = true;
  }
  writer.end_object();
  return has_any ? json : std::string{};
}

RowChange change_of(const sqlite::ChangedRow& row) {
  using Kind = sqlite::ChangedRow::Kind;
  const auto is_key = [](const ChangedColumn& column) { return column.is_key; };
  const auto any = [](const ChangedColumn&) { return true; };
  const auto is_changed = [](const ChangedColumn& column) { return column.after.has_value(); };
  RowChange change{.table = row.table, .key = {}, .before = {}, .after = {}};
  switch (row.kind) {
    case Kind::inserted:
      change.kind = RowChange::Kind::inserted;
      change.key = json_of_row(row, &ChangedColumn::after, is_key);
      change.after = json_of_row(row, &ChangedColumn::after, any);
      break;
    case Kind::updated:
      change.kind = RowChange::Kind::updated;
      change.key = json_of_row(row, &ChangedColumn::before, is_key);
      change.before = json_of_row(row, &ChangedColumn::before, is_changed);
      change.after = json_of_row(row, &ChangedColumn::after, any);
      break;
    case Kind::deleted:
      change.kind = RowChange::Kind::deleted;
      change.key = json_of_row(row, &ChangedColumn::before, is_key);
      change.before = json_of_row(row, &ChangedColumn::before, any);
      break;
  }
  return change;
}

}  // namespace

bool is_application_table(std::string_view table) { return !is_own_table(table); }

std::vector<RowChange> changes_of(const std::vector<sqlite::ChangedRow>& rows) {
  std::vector<RowChange> changes;
  changes.reserve(rows.size());
  std::ranges::transform(rows, std::back_inserter(changes), change_of);
  sort_changes(changes);
  return changes;
}

void sort_changes(std::vector<RowChange>& changes) {
  std::ranges::sort(changes, {}, [](const RowChange& change) {
    return std::tie(change.table, change.key, change.kind, change.before, change.after);
  });
}

}  // namespace tenure::replay
