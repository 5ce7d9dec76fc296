#include "tenant_outbox.hpp"

#include "known_outbox.hpp"
#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/queue/lane_gate.hpp>
#include <tenure/queue/outbox_file.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

// Jobs on their way out of one tenant's database, which is opened for it.
namespace tenure::cli {
namespace {

using queue::JobReader;
using queue::OutboxMark;
using queue::OutboxOwner;
using queue::OutboxRow;
using queue::OutboxSeq;

constexpr std::size_t kShownMax = 4096;  // bytes of what is in a row's way

struct ShownRow {
  OutboxRow row;
  std::optional<queue::NewJob> job;  // nothing where it cannot be read
  std::string refused;               // why it cannot become a job, as far as can be told without trying
  bool is_taken_over = false;
};

struct ShownOutbox {
  KnownOutbox known;
  std::string path;
  OutboxSeq newest{0};
  std::vector<ShownRow> rows;
  bool is_all = true;
  std::string in_the_way;  // of the first row that waits; empty where there is none
};

// Keys that are not for this user to read are not needed for looking.
KeyRing keys_if_readable(Session& session) {
  try {
    return session.keys();
  } catch (const Error&) {
    return {};
  }
}

// Whether the id is that of another job.
bool is_other_job(JobReader& reader, const OutboxRow& row, const queue::NewJob& job) {
  const auto there = reader.find_job(job.id);
  if (!there) return false;
  const auto envelope = queue::read_envelope(reader.envelope(there->seq).value_or(""));
  if (!envelope) return true;
  queue::NewJob same = job;
  same.kind = there->kind;
  same.tenant = there->tenant;
  same.generation = there->generation;
  same.queue = there->queue;
  same.priority = there->priority;
  same.arguments = envelope->arguments;
  return !queue::says_same_job(row.text, same);
}

ShownRow shown_row(JobReader& reader, const KnownOutbox& known, OutboxRow row, const KeyRing& keys) {
  ShownRow shown{.row = std::move(row), .job = {}, .refused = {}};
  shown.is_taken_over = shown.row.seq <= known.watermark;
  auto job = queue::read_outbox_row(shown.row.text, known.owner(), {});
  if (job) shown.job = std::move(*job);
  if (shown.is_taken_over) return shown;
  if (const auto sealed = queue::read_outbox_row(shown.row.text, known.owner(), keys); !sealed)
    shown.refused = sealed.error().text();
  else if (is_other_job(reader, shown.row, *shown.job))
    shown.refused = "IdConflict: another job has this id: tenure job show " + shown.job->id.text();
  return shown;
}

std::string in_the_way_of(const ShownRow& first, const KnownOutbox& known) {
  if (known.behind) return fmt::format("{}; {}", text_of(*known.behind), change_of_behind(known.tenant.name));
  if (known.tenant.state == TenantState::draining || known.tenant.state == TenantState::deleted)
    return fmt::format("the tenant, which is {}", name_of(known.tenant.state));
  if (!first.refused.empty())
    return fmt::format("{}; to give it up: tenure tenant outbox {} --pass-over {}",
                       escaped(first.refused, kShownMax), escaped(known.tenant.name.text()),
                       first.row.seq.value);
  if (known.marks.empty()) return "that nobody looks for it: the control database has no mark of this file";
  if (!known.has_dispatcher) return "that no dispatcher is seen to run: systemctl start tenured";
  return "nothing: it comes with the next look of tenured";
}

ShownOutbox shown_outbox(Session& session, const TenantName& name) {
  ShownOutbox shown{.known = known_outbox(session, name), .path = {}, .rows = {}, .in_the_way = {}};
  queue::OutboxFront front;
  with_database(session, shown.known.tenant, HandleAccess::read_only,
                [&](TenantHandle& handle, const std::string& path) {
                  shown.path = path;
                  front = handle.read([](TenantReader& reader) { return queue::read_outbox_front(reader); });
                });
  shown.newest = front.rows.newest;
  shown.is_all = front.is_all && front.rows.rows.size() <= session.limit();
  if (front.rows.rows.size() > session.limit()) front.rows.rows.resize(session.limit());
  const KeyRing keys = keys_if_readable(session);
  session.readable_store().read([&](JobReader& reader) {
    for (OutboxRow& row : front.rows.rows)
      shown.rows.push_back(shown_row(reader, shown.known, std::move(row), keys));
  });
  const auto first = std::ranges::find(shown.rows, false, &ShownRow::is_taken_over);
  if (first != shown.rows.end()) shown.in_the_way = in_the_way_of(*first, shown.known);
  else if (shown.known.behind)
    shown.in_the_way =
        fmt::format("{}; {}", text_of(*shown.known.behind), change_of_behind(shown.known.tenant.name));
  return shown;
}

std::string state_text(const ShownRow& row) {
  if (row.is_taken_over) return "taken over";
  return row.refused.empty() ? "waits" : "refused";
}

std::string rows_table(const ShownOutbox& shown, Session& session) {
  std::vector<std::vector<std::string>> rows;
  for (const ShownRow& each : shown.rows) {
    const auto of_job = [&](auto what) { return each.job ? what(*each.job) : std::string("-"); };
    rows.push_back({std::to_string(each.row.seq.value), state_text(each),
                    of_job([](const queue::NewJob& job) { return escaped(job.kind); }),
                    of_job([](const queue::NewJob& job) { return escaped(job.queue); }),
                    of_job([&](const queue::NewJob& job) { return time_text(job.due, session.style()); }),
                    bytes_text(std::ssize(each.row.text), session.style()),
                    of_job([](const queue::NewJob& job) { return job.id.text(); })});
  }
  return table_text({{.title = "ROW", .right = true, .kept = true},
                     {.title = "STATE"},
                     {.title = "KIND", .cut = true},
                     {.title = "QUEUE", .rank = 1},
                     {.title = "DUE", .rank = 2},
                     {.title = "BYTES", .right = true, .rank = 3},
                     {.title = "ID", .rank = 4}},
                    rows, session.table_style());
}

std::string marks_text(const std::vector<OutboxMark>& marks, const ShowStyle& style) {
  if (marks.empty()) return "none: nobody looks into this database";
  const auto oldest = std::ranges::min_element(marks, {}, &OutboxMark::marked);
  return fmt::format("{}, since {}", counted(std::ssize(marks), "mark", style),
                     full_time_text(oldest->marked, style));
}

std::string shown_text(const ShownOutbox& shown, Session& session) {
  const ShowStyle& style = session.style();
  const auto line = [](std::string_view name, std::string_view value) {
    return fmt::format("{:<12}{}\n", name, value);
  };
  const TenantRecord& tenant = shown.known.tenant;
  std::string out = line("tenant", fmt::format("{}, generation {}, {}", escaped(tenant.name.text()),
                                               tenant.generation.value, name_of(tenant.state)));
  out += line("database", escaped(shown.path, kShownMax));
  out += line("numbers", fmt::format("{} given, taken over up to {}", number_text(shown.newest.value, style),
                                     number_text(shown.known.watermark.value, style)));
  if (shown.known.lost.count > 0)
    out += line("lost", fmt::format("{} in neither database, found {}",
                                    counted(shown.known.lost.count, "row is", "rows are", style),
                                    full_time_text(shown.known.lost.found, style)));
  out += line("marks", marks_text(shown.known.marks, style));
  if (!shown.in_the_way.empty()) out += line("in the way", shown.in_the_way);
  if (shown.rows.empty()) return out + line("rows", "none");
  out += '\n' + rows_table(shown, session);
  return shown.is_all ? out : out + "and more\n";
}

void write_row(json::Writer& writer, const ShownRow& each) {
  writer.begin_object().key("row").integer(each.row.seq.value).key("state");
  writer.string(each.is_taken_over ? "taken_over" : state_text(each));
  writer.key("bytes").integer(std::ssize(each.row.text)).key("refused");
  if (each.refused.empty()) writer.null();
  else writer.string(to_utf8(each.refused));
  if (each.job) {
    writer.key("id").string(each.job->id.text());
    write_text(writer, "kind", each.job->kind);
    write_text(writer, "queue", each.job->queue);
    writer.key("priority").integer(each.job->priority.value);
    write_time(writer, "due", each.job->due);
  }
  writer.end_object();
}

std::string shown_json(const ShownOutbox& shown) {
  std::string out;
  json::Writer writer(out);
  const TenantRecord& tenant = shown.known.tenant;
  writer.begin_object().key("schema").string("tenure.tenant.outbox/1").key("item").begin_object();
  write_text(writer, "name", tenant.name.text());
  writer.key("generation").integer(tenant.generation.value).key("state").string(name_of(tenant.state));
  write_text(writer, "database", shown.path);
  writer.key("newest").integer(shown.newest.value).key("watermark").integer(shown.known.watermark.value);
  writer.key("lost").integer(shown.known.lost.count);
  writer.key("is_file_behind").boolean(shown.known.behind.has_value()).key("marks").begin_array();
  for (const OutboxMark& mark : shown.known.marks) {
    writer.begin_object().key("epoch");
    if (mark.epoch) writer.integer(*mark.epoch);
    else writer.null();
    write_time(writer, "marked", mark.marked);
    writer.end_object();
  }
  writer.end_array().key("in_the_way");
  if (shown.in_the_way.empty()) writer.null();
  else writer.string(to_utf8(shown.in_the_way));
  writer.key("rows").begin_array();
  for (const ShownRow& each : shown.rows) write_row(writer, each);
  writer.end_array().key("is_all").boolean(shown.is_all).end_object().end_object();
  return out;
}

// --- What is changed.

OutboxSeq row_named(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1)
    raise(ErrorCode::bad_options, fmt::format("\"{}\" is no number of a row", escaped(text)));
  return OutboxSeq{number};
}

const OutboxRow& first_that_waits(const queue::OutboxFront& front, const KnownOutbox& known,
                                  OutboxSeq wanted) {
  const auto first =
      std::ranges::find_if(front.rows.rows, [&](const OutboxRow& row) { return row.seq > known.watermark; });
  if (first == front.rows.rows.end())
    raise(ErrorCode::state_changed, "no row of this outbox waits", known.tenant.name.text());
  if (first->seq != wanted)
    raise(
        ErrorCode::state_changed,
        fmt::format("the first row that waits is {}, and only that one can be passed over", first->seq.value),
        known.tenant.name.text());
  return *first;
}

// Its values that nobody is shown are masked, as far as it can be told what they are.
std::string whole_text(Session& session, const OutboxRow& row) {
  const std::size_t head = std::min(row.text.find('\n'), row.text.size() - 1) + 1;
  const auto envelope = queue::read_envelope(std::string_view(row.text).substr(head));
  if (!envelope || !row.text.ends_with(envelope->arguments))
    return fmt::format("{}({} bytes that cannot be read, and so not be masked)\n", row.text.substr(0, head),
                       row.text.size() - head);
  return row.text.substr(0, row.text.size() - envelope->arguments.size()) +
         session.mask().shown(envelope->arguments);
}

// The last that anybody sees of it.
void show_whole(Session& session, const OutboxRow& row) {
  const std::string whole = whole_text(session, row);
  std::string text;
  std::string_view rest = whole;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    text += "\n  " + escaped(line, line.size() * 4 + 4);
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  session.note(fmt::format("row {}:{}", row.seq.value, text));
}

bool is_agreed(Session& session) {
  if (session.has("yes")) return true;
  const auto answer = session.ask("Give this row up? It cannot be undone.");
  if (!answer) raise(ErrorCode::bad_options, "say --yes to give this row up, since nobody can be asked here");
  if (!*answer) session.note("nothing was passed over");
  return *answer;
}

void print_passed(Session& session, const KnownOutbox& known, const OutboxRow& row,
                  const queue::Relayed& relayed) {
  const std::string refused = relayed.refused ? relayed.refused->failure.text() : "";
  if (!session.json()) {
    session.print(relayed.refused
                      ? fmt::format("passed over row {}: {}\n", row.seq.value, escaped(refused, kShownMax))
                      : fmt::format("row {} could be taken over and is a job now\n", row.seq.value));
    return;
  }
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.tenant.outbox.pass_over/1");
  write_text(writer, "name", known.tenant.name.text());
  writer.key("row")
      .integer(row.seq.value)
      .key("passed_over")
      .boolean(relayed.refused.has_value())
      .key("refused");
  if (relayed.refused) writer.string(to_utf8(refused));
  else writer.null();
  write_text(writer, "text", whole_text(session, row));
  writer.end_object();
  session.print_json(out);
}

// Whatever else has become of it is no reason to say that it was given up, or is a job.
void require_passed(const queue::Relayed& relayed, const OutboxRow& row, const KnownOutbox& known) {
  if (relayed.is_file_behind)
    raise(
        ErrorCode::state_changed,
        "nothing comes out of this database, which is an older copy; " + change_of_behind(known.tenant.name),
        known.tenant.name.text());
  if (relayed.refused && relayed.watermark < row.seq) raise(relayed.refused->failure);
  if (!relayed.refused && relayed.inserted + relayed.existed == 0)
    raise(ErrorCode::state_changed, fmt::format("row {} has been taken over meanwhile", row.seq.value),
          known.tenant.name.text());
}

ExitCode pass_over(Session& session, const TenantName& name) {
  const OutboxSeq wanted = row_named(session.option("pass-over"));
  const KnownOutbox known = known_outbox(session, name);
  queue::OutboxFront front;
  with_database(session, known.tenant, HandleAccess::read_write,
                [&](TenantHandle& handle, const std::string&) {
                  front = handle.read([](TenantReader& reader) { return queue::read_outbox_front(reader); });
                  handle.sync();
                });
  const OutboxRow& row = first_that_waits(front, known, wanted);
  show_whole(session, row);
  if (!is_agreed(session)) return ExitCode::refused;
  queue::Relayed relayed;
  session.change([&](queue::StoreWriter& writer) {
    relayed = writer.pass_over_outbox(known.owner(), front.rows.newest, row, session.now());
    require_passed(relayed, row, known);
    writer.mark_outbox_of(known.tenant.number, session.now());  // for those behind it
    return Changed{1, fmt::format("{}, generation {}, row {} of its outbox: {}", name.text(),
                                  known.tenant.generation.value, row.seq.value,
                                  relayed.refused ? relayed.refused->failure.text() : "taken over")};
  });
  session.wake();
  print_passed(session, known, row, relayed);
  return ExitCode::done;
}

}  // namespace

ExitCode tenant_outbox(Session& session) {
  const TenantName name = value_or_raise(TenantName::parse(session.words().front()));
  if (session.has("pass-over")) return pass_over(session, name);
  const ShownOutbox shown = shown_outbox(session, name);
  if (session.json()) session.print_json(shown_json(shown));
  else session.print(shown_text(shown, session));
  return ExitCode::done;
}

}  // namespace tenure::cli
