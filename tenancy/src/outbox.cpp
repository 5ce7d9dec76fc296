#include "handle_state.hpp"

#include <tenure/base/text.hpp>
#include <tenure/tenancy/outbox.hpp>
#include <tenure/tenancy/own_tables.hpp>
#include <tenure/tenancy/stamp.hpp>

#include <span>

namespace tenure {
namespace {

using sqlite::Query;

// ?1 id  ?2 text.
constexpr Query kAddEntry{"add_outbox_entry",
                          "insert into main.tenure_outbox (job_id, envelope) values (?1, ?2)"};

// ?1 id. Index: unique job_id.
constexpr Query kEntryOfId{"outbox_entry_of_id",
                           "select seq, envelope from main.tenure_outbox where job_id = ?1"};

// ?1 limit. Index: primary key.
constexpr Query kFirstEntries{"first_outbox_entries", R"sql(
  select seq, envelope from main.tenure_outbox order by seq limit ?1)sql"};

constexpr Query kNewestNumber{"newest_outbox_number",
                              "select seq from main.sqlite_sequence where name = 'tenure_outbox'"};

// ?1 seq. Index: primary key.
constexpr Query kClearEntries{"clear_outbox_entries", "delete from main.tenure_outbox where seq <= ?1"};

// SQLite makes the row with the first entry of the file.
constexpr Query kAddSequence{"add_outbox_sequence", R"sql(
  insert into main.sqlite_sequence(name, seq) select 'tenure_outbox', 0
  where not exists (select 1 from main.sqlite_sequence where name = 'tenure_outbox'))sql"};
// ?1 number.
constexpr Query kRaiseSequence{"raise_outbox_sequence", R"sql(
  update main.sqlite_sequence set seq = max(seq, ?1) where name = 'tenure_outbox')sql"};

constexpr Query kHasEntry{"has_outbox_entry", "select 1 from main.tenure_outbox limit 1"};

// The row's other columns stay as they are.
constexpr Query kRaiseEpoch{"raise_outbox_epoch",
                            "update main.tenure_stamp set outbox_epoch = outbox_epoch + 1"};

std::span<const std::byte> bytes_of(const Uuid& id) { return std::as_bytes(std::span{id.bytes()}); }

}  // namespace

OutboxAdded add_to_outbox(TenantTransaction& transaction, const Uuid& id, std::string_view text) {
  OwnTables tables{transaction};
  {
    // Asked before, since an insert that meets a conflict takes a number all the same, and none may be missing.
    auto row = tables.statement(kEntryOfId);
    if (row.bind(bytes_of(id)).step()) return {row.integer(0), std::string{as_text(row.blob(1))}};
  }
  const std::int64_t row_of_caller = tables.last_insert_row();
  tables.statement(kAddEntry).bind(bytes_of(id), as_bytes(text)).run();
  const OutboxAdded added{tables.last_insert_row()};
  tables.set_last_insert_row(row_of_caller);
  return added;
}

bool is_in_outbox(const TenantReader& reader, const Uuid& id) {
  OwnTables tables{reader};
  return tables.statement(kEntryOfId).bind(bytes_of(id)).step();
}

bool is_outbox_empty(sqlite::Connection& file) { return !file.statement(kHasEntry).step(); }

std::int64_t newest_in_outbox(const TenantReader& reader) {
  OwnTables tables{reader};
  auto newest = tables.statement(kNewestNumber);
  return newest.step() ? newest.integer(0) : 0;
}

OutboxPage read_outbox(const TenantReader& reader, std::size_t count_max, std::size_t bytes_max) {
  OutboxPage page{.newest = newest_in_outbox(reader), .entries = {}};
  OwnTables tables{reader};
  auto row = tables.statement(kFirstEntries);
  row.bind(static_cast<std::int64_t>(count_max) + 1);
  std::size_t bytes = 0;
  while (page.is_all && row.step()) {
    const std::string_view text = as_text(row.blob(1));
    bytes += text.size();
    page.is_all = page.entries.size() < count_max && (page.entries.empty() || bytes <= bytes_max);
    if (page.is_all) page.entries.push_back({row.integer(0), std::string{text}});
  }
  return page;
}

void clear_outbox(TenantTransaction& transaction, std::int64_t up_to) {
  OwnTables{transaction}.statement(kClearEntries).bind(up_to).run();
}

void skip_outbox_numbers(TenantTransaction& transaction, std::int64_t up_to) {
  OwnTables tables{transaction};
  tables.statement(kAddSequence).run();
  tables.statement(kRaiseSequence).bind(up_to).run();
}

bool raise_outbox_epoch(TenantTransaction& transaction) {
  OwnTables tables{transaction};
  if (tables.statement(kHasEntry).step()) return false;
  tables.statement(kRaiseEpoch).run();
  return true;
}

}  // namespace tenure
