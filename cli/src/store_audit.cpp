#include "job.hpp"
#include "listing.hpp"
#include "nouns.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

// What operators have changed: the list, and whether its records are as they were made.
namespace tenure::cli {
namespace {

using queue::AuditRecord;

// "root (login uid 1000)" or "root (sudo says uid 1000)", since su and sudo change the one and not the other.
std::string who_text(const AuditRecord& record, const ShowStyle&) {
  const OperatorIdentity& who = record.entry.who;
  const std::string name = who.login.empty() ? fmt::format("uid {}", who.uid) : escaped(who.login);
  if (who.login_uid && *who.login_uid != who.uid)
    return fmt::format("{} (login uid {})", name, *who.login_uid);
  if (!who.login_uid && who.sudo_uid && *who.sudo_uid != who.uid)
    return fmt::format("{} (sudo says uid {})", name, *who.sudo_uid);
  return name;
}

std::string text_or_dash(std::string_view text) { return text.empty() ? "-" : escaped(text); }

constexpr std::array kAuditColumns{
    ListColumn<AuditRecord>{"number", "NO",
                            [](const AuditRecord& r, const ShowStyle&) { return std::to_string(r.number); },
                            true, true},
    ListColumn<AuditRecord>{"at", "WHEN",
                            [](const AuditRecord& r, const ShowStyle& s) { return time_text(r.at, s); }},
    ListColumn<AuditRecord>{"who", "WHO", who_text},
    ListColumn<AuditRecord>{"verb", "VERB",
                            [](const AuditRecord& r, const ShowStyle&) { return escaped(r.entry.verb); }},
    ListColumn<AuditRecord>{
        "count", "COUNT",
        [](const AuditRecord& r, const ShowStyle& s) { return number_text(r.entry.count, s); }, true},
    ListColumn<AuditRecord>{"subject", "SUBJECT",
                            [](const AuditRecord& r, const ShowStyle&) { return escaped(r.entry.subject); },
                            false, false, true, true},
    ListColumn<AuditRecord>{
        "reason", "REASON",
        [](const AuditRecord& r, const ShowStyle&) { return text_or_dash(r.entry.reason); }, false, false,
        true, true},
    ListColumn<AuditRecord>{"host", "HOST",
                            [](const AuditRecord& r, const ShowStyle&) { return escaped(r.entry.who.host); },
                            false, false, false},
    ListColumn<AuditRecord>{
        "terminal", "TERMINAL",
        [](const AuditRecord& r, const ShowStyle&) { return text_or_dash(r.entry.who.terminal); }, false,
        false, false},
};

void write_uid(json::Writer& writer, std::string_view key, const std::optional<std::int64_t>& uid) {
  writer.key(key);
  if (uid) writer.integer(*uid);
  else writer.null();
}

void write_record(json::Writer& writer, const AuditRecord& record, WallTime) {
  const OperatorIdentity& who = record.entry.who;
  writer.begin_object().key("number").integer(record.number);
  write_time(writer, "at", record.at);
  writer.key("uid").integer(who.uid);
  write_text(writer, "login", who.login);
  write_uid(writer, "login_uid", who.login_uid);
  write_uid(writer, "sudo_uid", who.sudo_uid);
  write_text(writer, "terminal", who.terminal);
  write_text(writer, "host", who.host);
  write_text(writer, "verb", record.entry.verb);
  write_text(writer, "subject", record.entry.subject);
  writer.key("changed").integer(record.entry.count);
  write_text(writer, "reason", record.entry.reason);
  writer.key("hash").string(hex_text(record.hash)).end_object();
}

std::optional<std::int64_t> audit_cursor(const Session& session) {
  if (!session.has("after")) return std::nullopt;
  const std::string_view text = session.option("after");
  std::int64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || rest != text.data() + text.size() || number < 1)
    raise(ErrorCode::bad_options, fmt::format("--after {} is no number of a record", escaped(text, 64)));
  return number;
}

ExitCode list_audit(Session& session) {
  const queue::Filter filter = session.filter(queue::audit_filter_fields());
  const auto after = audit_cursor(session);
  const std::size_t limit = session.limit();
  std::vector<AuditRecord> records;
  ListTotal total;
  session.readable_store().read([&](queue::JobReader& reader) {
    reader.for_each_audit(std::nullopt, [&](const AuditRecord& record) {
      if (!matches(filter, record)) return true;
      ++total.count;
      if (after && record.number >= *after) return true;
      if (records.size() < limit) records.push_back(record);
      else total.next = std::to_string(records.back().number);
      total.capped = total.count == kCountMax;
      return !total.capped;
    });
  });
  return print_list<AuditRecord>(session, "tenure.store.audit/1", {"record", "records"}, kAuditColumns,
                                 records, total, write_record);
}

std::optional<queue::AuditMark> known_head(const Session& session) {
  if (!session.has("head")) return std::nullopt;
  const auto mark = queue::audit_mark_from(session.option("head"));
  if (!mark)
    raise(ErrorCode::bad_options, fmt::format("--head {} is no number, a colon and 64 hexadecimal digits",
                                              escaped(session.option("head"), 80)));
  return mark;
}

std::string json_of(const queue::AuditVerdict& verdict) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.store.audit.verify/1").key("item").begin_object();
  writer.key("intact").boolean(!verdict.fault).key("records").integer(verdict.records);
  writer.key("head").string(text_of(verdict.head)).key("fault");
  if (verdict.fault) {
    writer.begin_object().key("number").integer(verdict.fault->number);
    write_text(writer, "text", verdict.fault->text);
    writer.end_object();
  } else {
    writer.null();
  }
  writer.end_object().end_object();
  return out;
}

ExitCode verify_audit(Session& session) {
  if (!session.words().empty())
    raise(ErrorCode::bad_options, "--verify looks at all records; it takes no filter");
  const auto known = known_head(session);
  queue::AuditVerdict verdict;
  session.readable_store().read([&](queue::JobReader& reader) { verdict = reader.check_audit(known); });
  if (session.json()) {
    session.print_json(json_of(verdict));
  } else {
    const std::string records = counted(verdict.records, "record", session.style());
    session.print(verdict.fault ? fmt::format("FAIL  row {}: {}; {} in all\n", verdict.fault->number,
                                              escaped(verdict.fault->text), records)
                                : fmt::format("ok    {}, each as it was made\n", records));
    session.print(fmt::format("head  {}\n", text_of(verdict.head)));
  }
  return verdict.fault ? ExitCode::refused : ExitCode::done;
}

}  // namespace

ListWords audit_words() {
  return {queue::audit_filter_fields(), {}, column_names<AuditRecord>(kAuditColumns)};
}

ExitCode store_audit(Session& session) {
  if (session.has("verify")) return verify_audit(session);
  if (session.has("head")) raise(ErrorCode::bad_options, "--head is looked for by --verify");
  return list_audit(session);
}

}  // namespace tenure::cli
