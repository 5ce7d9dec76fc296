#include "crash_state.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/json.hpp>
#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/text_statement_cache.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/tenancy/registry.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <limits>
#include <optional>
#include <set>
#include <span>

namespace tenure::testing::detail {
namespace {

using sqlite::ColumnType;
using sqlite::Query;

constexpr std::size_t kRowsMax = 100'000;  // of all tables of all tenants; each point reads them all
constexpr std::size_t kEveryRow = std::numeric_limits<std::size_t>::max();

// SQLite's and Tenure's own ones are no tables of the application's.
constexpr Query kApplicationTables{"application_tables", R"sql(
  select name from pragma_table_list
  where schema = 'main' and type = 'table' and name not like 'sqlite\_%' escape '\'
    and name not like 'tenure\_%' escape '\'
  order by name)sql"};

// ?1 table. Generated ones are there too.
constexpr Query kColumnsOfTable{"columns_of_table", R"sql(
  select name, pk > 0 from pragma_table_xinfo(?1, 'main') where hidden <> 1 order by cid)sql"};

// ?1 job. Index: primary key, prefix.
constexpr Query kReceiptsOfJob{"receipts_of_job", R"sql(
  select step from main.tenure_receipts where job_id = ?1 order by step)sql"};

struct TableColumn {
  std::string name;
  bool is_key = false;
};

std::string quoted_identifier(std::string_view name) {
  std::string text{'"'};
  for (const char character : name) {
    text += character;
    if (character == '"') text += character;
  }
  return text + '"';
}

std::string text_of_blob(std::span<const std::byte> bytes) {
  std::string text = "x'";
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", std::to_integer<int>(byte));
  return text + '\'';
}

// As SQL has it, so that 1 and '1' are two values.
std::string text_of_value(const sqlite::Statement& row, int column) {
  switch (row.type(column)) {
    case ColumnType::integer:
      return std::to_string(row.integer(column));
    case ColumnType::real:
      return fmt::format("{}", row.real(column));
    case ColumnType::text:
      return fmt::format("'{}'", row.text(column));
    case ColumnType::blob:
      return text_of_blob(row.blob(column));
    case ColumnType::null:
      return "null";
  }
  return {};
}

class StateReader {
 public:
  StateReader(const StateOptions& options, State& state) : options_(options), state_(state) {
    left_out_.insert(options.leave_out.begin(), options.leave_out.end());
  }

  void read_tenant(const TenantName& tenant, const std::filesystem::path& path) {
    sqlite::Connection connection{path, {.access = sqlite::Access::read_only}};
    sqlite::TextStatementCache statements{connection};
    const sqlite::ReadTransaction snapshot{connection};
    read_receipts(connection, tenant);
    for (const std::string& table : tables(connection)) read_table(connection, statements, tenant, table);
  }

  void read_queue(queue::JobReader& reader) {
    reader.visit_jobs({}, {.limit = kEveryRow}, options_.now, [&](const queue::JobRecord& job) {
      if (job.id == options_.job) add("the job", end_of(job));
      else add("jobs in the queue", enqueued(job, reader.envelope(job.seq)));
      return true;
    });
  }

  void require_all_left_out() const {
    for (const std::string& column : left_out_)
      if (!found_.contains(column))
        raise(ErrorCode::bad_options,
              fmt::format("no table of the application has {}, which is left out as TABLE.COLUMN",
                          escaped(column)));
  }

 private:
  static std::vector<std::string> tables(sqlite::Connection& connection) {
    std::vector<std::string> names;
    sqlite::Statement row = connection.statement(kApplicationTables);
    while (row.step()) names.emplace_back(row.text(0));
    return names;
  }

  // Without those that are left out.
  std::vector<TableColumn> columns(sqlite::Connection& connection, const std::string& table) {
    std::vector<TableColumn> columns;
    sqlite::Statement row = connection.statement(kColumnsOfTable);
    row.bind(std::string_view{table});
    while (row.step()) {
      const std::string name = table + '.' + std::string{row.text(0)};
      if (left_out_.contains(name)) found_.insert(name);
      else columns.push_back({std::string{row.text(0)}, row.integer(1) != 0});
    }
    return columns;
  }

  void read_table(sqlite::Connection& connection, sqlite::TextStatementCache& statements,
                  const TenantName& tenant, const std::string& table) {
    const std::vector<TableColumn> shown = columns(connection, table);
    if (shown.empty()) return;
    std::string sql = "select ";
    for (const TableColumn& column : shown) {
      if (&column != &shown.front()) sql += ", ";
      sql += quoted_identifier(column.name);
    }
    sql += " from main." + quoted_identifier(table);
    const auto lease = statements.statement_for(sql);
    const std::string title = fmt::format("table {} of {}", escaped(table), tenant.text());
    while (lease->statement().step()) add(title, row_of(lease->statement(), shown));
  }

  static StateRow row_of(const sqlite::Statement& statement, const std::vector<TableColumn>& columns) {
    StateRow row;
    for (int at = 0; at < static_cast<int>(columns.size()); ++at) {
      const TableColumn& column = columns[static_cast<std::size_t>(at)];
      std::string value = text_of_value(statement, at);
      if (column.is_key) row.key += fmt::format("{}: {} ", column.name, value);
      row.values.push_back({column.name, std::move(value), column.is_key});
    }
    return row;
  }

  void read_receipts(sqlite::Connection& connection, const TenantName& tenant) {
    sqlite::Statement row = connection.statement(kReceiptsOfJob);
    row.bind(std::as_bytes(std::span{options_.job.uuid.bytes()}));
    while (row.step())
      add("receipts of " + tenant.text(), {.key = {}, .values = {{"step", text_of_value(row, 0)}}});
  }

  static StateRow end_of(const queue::JobRecord& job) {
    StateRow row{.key = "the job", .values = {{"state", std::string{name_of(job.state)}}}};
    if (job.reason != queue::JobReason::none)
      row.values.push_back({"reason", std::string{name_of(job.reason)}});
    const bool has_succeeded = job.state == queue::ShownState::succeeded;  // the error is of a run before it
    if (!has_succeeded && !job.error.empty()) row.values.push_back({"error", job.error});
    return row;
  }

  [[nodiscard]] StateRow enqueued(const queue::JobRecord& job,
                                  const std::optional<std::string>& envelope) const {
    const auto read = queue::read_envelope(envelope.value_or(""));
    const std::chrono::microseconds due_in = std::max(job.due - options_.begun, std::chrono::microseconds{0});
    return {.key = {},
            .values = {{"kind", job.kind},
                       {"tenant", job.tenant ? job.tenant->text() : "none"},
                       {"arguments", read ? read->arguments : read.error().message},
                       {"queue", job.queue},
                       {"priority", std::to_string(job.priority.value)},
                       {"attempts_max", std::to_string(job.attempts_max)},
                       {"due_in", fmt::format("{} us", due_in.count())}}};
  }

  void add(const std::string& title, StateRow row) {
    if (++rows_ > kRowsMax)
      raise(ErrorCode::bad_options,
            fmt::format("the tenants have more than {} rows, which are too many to be compared at each "
                        "point; begin with fewer",
                        kRowsMax));
    state_[title].push_back(std::move(row));
  }

  const StateOptions& options_;
  State& state_;
  std::set<std::string> left_out_;
  std::set<std::string> found_;
  std::size_t rows_ = 0;
};

}  // namespace

State read_state(queue::Store& store, const TenantFiles& files, const StateOptions& options) {
  State state;
  StateReader reader(options, state);
  for (const TenantRecord& tenant : store.registry().list(std::nullopt, kEveryRow))
    reader.read_tenant(tenant.name, files.path_for(tenant.name));
  store.read([&](queue::JobReader& jobs) { reader.read_queue(jobs); });
  reader.require_all_left_out();
  for (auto& [title, rows] : state) std::ranges::sort(rows);
  return state;
}

void write_state(const State& state, RecordWriter& notes) {
  for (const auto& [title, rows] : state)
    for (const StateRow& row : rows) {
      Record record{"row", title, row.key};
      for (const StateValue& value : row.values)
        record.insert(record.end(), {value.name, value.text, value.is_key ? "key" : ""});
      notes.add(record);
    }
}

State state_in(const std::vector<Record>& records) {
  State state;
  for (const Record& record : records) {
    if (record.size() < 3 || record[0] != "row") continue;
    StateRow row{.key = record[2]};
    for (std::size_t at = 3; at + 2 < record.size(); at += 3)
      row.values.push_back({record[at], record[at + 1], !record[at + 2].empty()});
    state[record[1]].push_back(std::move(row));
  }
  return state;
}

}  // namespace tenure::testing::detail
