#include "audit_rows.hpp"

#include "../audit_chain.hpp"

#include <algorithm>
#include <limits>
#include <string_view>

namespace tenure::queue {
namespace {

using sqlite::Connection;
using sqlite::Query;

// ?1 name. Index: primary key.
constexpr Query kAuditMark{"audit_mark", "select number, hash from audit_mark where name = ?1"};
// ?1 name  ?2 number  ?3 hash. Also where a damaged file has lost it.
constexpr Query kSetAuditMark{"set_audit_mark", R"sql(
  insert into audit_mark(name, number, hash) values (?1, ?2, ?3)
  on conflict(name) do update set number = excluded.number, hash = excluded.hash)sql"};

// Index: primary key, its end.
constexpr Query kNewestAudit{"newest_audit", "select coalesce(max(number), 0) from audit"};

constexpr Query kInsertAudit{"insert_audit", R"sql(
  insert into audit(number, at_us, uid, login_uid, sudo_uid, login, terminal, host, verb, subject, count, reason, hash)
  values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13))sql"};

// ?1 number. Index: primary key, backwards.
constexpr Query kAuditBefore{"audit_before", R"sql(
  select number, at_us, uid, login_uid, sudo_uid, login, terminal, host, verb, subject, count, reason, hash
  from audit where number < ?1 order by number desc)sql"};
// Index: primary key.
constexpr Query kAuditInOrder{"audit_in_order", R"sql(
  select number, at_us, uid, login_uid, sudo_uid, login, terminal, host, verb, subject, count, reason, hash
  from audit order by number)sql"};

// A blob of another length is no hash of ours, and matches none.
Sha256Digest digest_in(const sqlite::Statement& row, int column) {
  Sha256Digest digest{};
  const auto bytes = row.blob(column);
  if (bytes.size() == digest.size()) std::ranges::copy(bytes, digest.begin());
  return digest;
}

AuditRecord record_in(const sqlite::Statement& row) {
  AuditRecord record;
  record.number = row.integer(0);
  record.at = from_us(row.integer(1));
  AuditEntry& entry = record.entry;
  entry.who = {.uid = row.integer(2),
               .login = std::string{row.text(5)},
               .login_uid = row.optional_integer(3),
               .sudo_uid = row.optional_integer(4),
               .terminal = std::string{row.text(6)},
               .host = std::string{row.text(7)}};
  entry.verb = row.text(8);
  entry.subject = row.text(9);
  entry.count = row.integer(10);
  entry.reason = row.text(11);
  record.hash = digest_in(row, 12);
  return record;
}

std::optional<AuditMark> mark_named(Connection& connection, std::string_view name) {
  auto row = connection.statement(kAuditMark);
  if (!row.bind(name).step()) return std::nullopt;
  return AuditMark{row.integer(0), digest_in(row, 1)};
}

}  // namespace

void append_audit(Connection& connection, const AuditEntry& entry, WallTime now) {
  const std::int64_t newest = connection.statement(kNewestAudit).row().integer(0);
  const AuditRecord record =
      next_record(mark_named(connection, "head").value_or(AuditMark{}), newest, entry, now);
  const AuditEntry& kept = record.entry;
  connection.statement(kInsertAudit)
      .bind(record.number, to_us(record.at), kept.who.uid, kept.who.login_uid, kept.who.sudo_uid,
            kept.who.login, kept.who.terminal, kept.who.host, kept.verb, kept.subject, kept.count,
            kept.reason, std::span{record.hash})
      .run();
  connection.statement(kSetAuditMark).bind("head", record.number, std::span{record.hash}).run();
}

void for_each_audit(Connection& connection, std::optional<std::int64_t> before,
                    FunctionRef<bool(const AuditRecord&)> fn) {
  auto row = connection.statement(kAuditBefore);
  row.bind(before.value_or(std::numeric_limits<std::int64_t>::max()));
  while (row.step())
    if (!fn(record_in(row))) return;
}

AuditVerdict check_audit(Connection& connection, const std::optional<AuditMark>& known) {
  const AuditMark anchor = mark_named(connection, "anchor").value_or(AuditMark{});
  AuditCheck check(anchor, known);
  auto row = connection.statement(kAuditInOrder);
  while (row.step()) check.row(record_in(row));
  return check.end(mark_named(connection, "head"));
}

std::vector<const Query*> audit_queries() {
  return {&kAuditMark, &kSetAuditMark, &kNewestAudit, &kInsertAudit, &kAuditBefore, &kAuditInOrder};
}

}  // namespace tenure::queue
