#include "redact.hpp"

#include "tables.hpp"

#include <tenure/base/bytes.hpp>
#include <tenure/base/error.hpp>
#include <tenure/base/json_copy.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/sqlite/text_statement_cache.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/replay/capsule.hpp>
#include <tenure/replay/row_changes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace tenure::replay {
namespace {

using sqlite::Query;

// ?1 job.
constexpr Query kForgetOthers{"forget_receipts_of_others",
                              "delete from main.tenure_receipts where job_id <> ?1"};
constexpr Query kResults{"results_of_steps",
                         "select step, result from main.tenure_receipts where result is not null"};
// ?1 step  ?2 result. Of the one job whose receipts are left.
constexpr Query kSetResult{"set_result", "update main.tenure_receipts set result = ?2 where step = ?1"};

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

// Nothing where it is none that an application can have written.
std::optional<json::Document> parsed(const std::string& json) {
  auto document = json::Document::parse(json, {.bytes_max = json.size(), .depth_max = limits::kDepthMax});
  return document ? std::optional{*std::move(document)} : std::nullopt;
}

// The whole of it: what a call or a step with a covered name has answered. Nothing where it is no JSON, or too deep to be looked into.
std::optional<std::string> redacted_value_of(const queue::Mask& mask, const std::string& json) {
  constexpr std::string_view kCovered = R"({"secret":)";
  if (!parsed(json)) return std::nullopt;  // else it could end the member that it is to be
  const std::string redacted = mask.redacted(std::string(kCovered) + json + "}");
  if (redacted.empty()) return std::nullopt;
  return redacted.substr(kCovered.size(), redacted.size() - kCovered.size() - 1);
}

std::string redacted_json(const queue::Mask& mask, const std::string& json) {
  return json.empty() ? json : mask.redacted(json);
}

// A step may return any text, and what hides nothing stays as it is, byte for byte.
std::string redacted_result(const queue::Mask& mask, std::string_view step, const std::string& result) {
  if (result.empty()) return result;
  if (mask.covers(step)) return redacted_value_of(mask, result).value_or(std::string{queue::kMasked});
  const auto document =
      json::Document::parse(result, {.bytes_max = limits::kReceiptResultMax, .depth_max = limits::kDepthMax});
  if (!document) return result;
  std::string as_it_was;
  json::Writer writer(as_it_was);
  json::copy(writer, document->root());
  std::string redacted = mask.redacted(result);
  return redacted == as_it_was ? result : redacted;
}

void hide(std::string& text) {
  if (!text.empty()) text = queue::kMasked;
}

// Of a short one, which any text holds by chance, only the end is meant.
void hide_in(std::string& text, const std::string& secret) {
  if (secret.empty()) return;
  std::size_t at = text.find(secret);
  if (secret.size() < queue::Secrets::kShortest)
    at = text.ends_with(secret) ? text.size() - secret.size() : std::string::npos;
  for (; at != std::string::npos; at = text.find(secret, at + queue::kMasked.size()))
    text.replace(at, secret.size(), queue::kMasked);
}

// Also where the run failed by it: a replay throws what is left of it, and ends as the run did.
// What a replay says that has left its recording is no handler's text.
void hide_failure(Failure& failure, RunRecord& run) {
  if (failure.code == ErrorCode::replay_differs) return;
  if (run.failure) hide_in(run.failure->error, failure.message);
  hide(failure.message);
  hide(failure.where);
}

void redact_call(RecordedCall& call, RunRecord& run, const queue::Mask& mask) {
  if (!mask.covers(call.name)) {
    call.value = redacted_json(mask, call.value);
    return;
  }
  if (call.failure) hide_failure(*call.failure, run);
  else if (!call.value.empty()) call.value = redacted_value_of(mask, call.value).value_or("null");
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

void redact_receipts(sqlite::Connection& copy, queue::JobId job, const queue::Mask& mask) {
  const auto id = std::as_bytes(std::span{job.uuid.bytes()});
  copy.statement(kForgetOthers).bind(id).run();
  std::vector<std::pair<std::string, std::string>> redacted;
  {
    sqlite::Statement row = copy.statement(kResults);
    while (row.step()) {
      const std::string result{as_text(row.blob(1))};
      std::string shown = redacted_result(mask, row.text(0), result);
      if (shown != result) redacted.emplace_back(row.text(0), std::move(shown));
    }
  }
  for (const auto& [step, result] : redacted) copy.statement(kSetResult).bind(step, as_bytes(result)).run();
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
  for (RecordedCall& call : run.calls) redact_call(call, run, mask);
  for (EnqueuedJob& job : run.jobs) {
    job.arguments = redacted_json(mask, job.arguments);
    if (!job.keys.empty()) job.keys = redacted_json(mask, job.keys);
  }
  if (run.returned) run.returned = redacted_json(mask, *run.returned);
  for (RowChange& change : run.changes) {
    change.key = redacted_json(mask, change.key);
    change.before = redacted_json(mask, change.before);
    change.after = redacted_json(mask, change.after);
  }
  sort_changes(run.changes);
  return run;
}

}  // namespace tenure::replay
