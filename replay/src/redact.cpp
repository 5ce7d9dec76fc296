#include "redact.hpp"

#include "tables.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/sqlite/text_statement_cache.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/replay/capsule.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tenure::replay {
namespace {

[[noreturn]] void refuse_column(const Table& table, std::string_view column, std::string_view why) {
  raise(ErrorCode::constraint_violated,
        fmt::format("column {} of table {} is masked and cannot be redacted: {}", escaped(column),
                    escaped(table.name), why));
}

// `behind` is SQL that makes texts differ from each other.
std::string redacted_value(std::string_view column, std::string_view behind) {
  return fmt::format(
      "case typeof({0}) when 'text' then '{1}'{2} when 'integer' then 0 when 'real' then 0.0 "
      "when 'blob' then x'' end",
      column, queue::kMasked, behind);
}

// `or abort` in each: what the constraint says of its own would leave a value in clear, or delete the row.
std::string plain_update(const Table& table, std::string_view column) {
  return fmt::format("update or abort main.{0} set {1} = {2} where {1} is not null",
                     as_identifier(table.name), column, redacted_value(column, ""));
}

// Where there is no rowid the place in the order of keys stands for it.
std::string update_with_numbers(const Table& table, const std::string& column) {
  const std::string name = as_identifier(table.name);
  if (!table.rowid.empty())
    return fmt::format("update or abort main.{0} set {1} = {2} where {1} is not null", name, column,
                       redacted_value(column, " || " + table.rowid));
  std::string keys;
  std::string same;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (!table.columns[i].is_key) continue;
    const std::string key = as_identifier(table.columns[i].name);
    keys += fmt::format("{} as tenure_key_{}, ", key, i);
    same += fmt::format(" and {}.{} = numbered.tenure_key_{}", name, key, i);
  }
  return fmt::format(
      "update or abort main.{0} set {1} = {2} from (select {3}row_number() over () as number from main.{0}) "
      "as "
      "numbered "
      "where {1} is not null{4}",
      name, column, redacted_value(column, " || numbered.number"), keys, same);
}

// What no update of ours has written: a text has nothing but a number behind it.
std::string is_in_clear(std::string_view column) {
  return fmt::format(
      "case typeof({0}) when 'text' then substr({0}, 1, length('{1}')) <> '{1}' "
      "or substr({0}, length('{1}') + 1) glob '*[^-0-9]*' when 'blob' then length({0}) > 0 when 'null' then "
      "0 else {0} <> 0 end",
      column, queue::kMasked);
}

struct RowCount {
  std::int64_t all = 0;
  std::int64_t in_clear = 0;
};

RowCount count_rows(sqlite::Connection& copy, const Table& table, std::string_view column) {
  sqlite::TextStatementCache statements(copy);
  const auto row = statements.statement_for(
      fmt::format("select count(*), count(*) filter (where {1}) from main.{0} not indexed",
                  as_identifier(table.name), is_in_clear(column)));
  if (!row->statement().step()) invariant_broken("a count has no row", __FILE__, __LINE__);
  return {row->statement().integer(0), row->statement().integer(1)};
}

void update_column(sqlite::Connection& copy, const Table& table, const Column& column) {
  const std::string name = as_identifier(column.name);
  try {
    return copy.execute({"redact", plain_update(table, name)});
  } catch (const ConstraintViolated&) {  // each row needs a value of its own
  }
  if (table.rowid.empty() && std::ranges::none_of(table.columns, &Column::is_key))
    refuse_column(table, column.name, "its rows cannot be told apart");
  try {
    copy.execute({"redact", update_with_numbers(table, name)});
  } catch (const ConstraintViolated& error) {
    refuse_column(table, column.name, error.failure().message);
  }
}

void redact_column(sqlite::Connection& copy, const Table& table, const Column& column) {
  const std::string name = as_identifier(column.name);
  const RowCount before = count_rows(copy, table, name);
  update_column(copy, table, column);
  const RowCount after = count_rows(copy, table, name);
  if (after.all != before.all) refuse_column(table, column.name, "rows would be lost");
  if (after.in_clear != 0) refuse_column(table, column.name, "values stay as they are");
}

// The whole of it: what a call with a covered name has answered.
std::string redacted_value_of(const queue::Mask& mask, const std::string& json) {
  constexpr std::string_view kCovered = R"({"secret":)";
  if (json.empty()) return json;
  const std::string redacted = mask.redacted(std::string(kCovered) + json + "}");
  return redacted.substr(kCovered.size(), redacted.size() - kCovered.size() - 1);
}

std::string redacted_json(const queue::Mask& mask, const std::string& json) {
  return json.empty() ? json : mask.redacted(json);
}

}  // namespace

void redact_tables(sqlite::Connection& copy, const queue::Mask& mask) {
  for (const Table& table : tables_of(copy)) {
    if (is_own_table(table.name)) continue;
    for (const Column& column : table.columns) {
      if (!mask.covers(column.name)) continue;
      if (table.kind == Table::Kind::is_virtual) refuse_column(table, column.name, "the table is virtual");
      // By its name alone: it may be an application's, and nobody may write to it.
      if (table.kind == Table::Kind::shadow)
        refuse_column(table, column.name, "the table belongs to a virtual one");
      if (column.is_generated) refuse_column(table, column.name, "it is generated from others");
      redact_column(copy, table, column);
    }
  }
}

queue::AssignedJob redacted(queue::AssignedJob job, const queue::Mask& mask) {
  auto envelope = queue::read_envelope(job.envelope);
  job.envelope.clear();
  if (!envelope) return job;
  job.cursor = queue::Secrets(mask, envelope->arguments).hidden_in(job.cursor);
  envelope->seal.reset();
  envelope->arguments = mask.redacted(envelope->arguments);
  job.envelope = queue::write_envelope(*envelope);
  return job;
}

RunRecord redacted(RunRecord run, const queue::Mask& mask) {
  for (RecordedCall& call : run.calls)
    call.value =
        mask.covers(call.name) ? redacted_value_of(mask, call.value) : redacted_json(mask, call.value);
  for (EnqueuedJob& job : run.jobs) job.arguments = redacted_json(mask, job.arguments);
  for (RowChange& change : run.changes) {
    change.key = redacted_json(mask, change.key);
    change.before = redacted_json(mask, change.before);
    change.after = redacted_json(mask, change.after);
  }
  return run;
}

}  // namespace tenure::replay
