#include "filter_text.hpp"
#include "listing.hpp"
#include "nouns.hpp"
#include "pauses.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tenure::cli {
namespace {

using queue::QueueRecord;

template <std::int64_t QueueRecord::*kMember>
std::string number(const QueueRecord& queue, const ShowStyle& style) {
  return number_text(queue.*kMember, style);
}

using CountColumn = ListColumn<QueueRecord>;

constexpr std::array<CountColumn, 8> columns_titled(std::string_view title) {
  return {
      CountColumn{"name", title, [](const QueueRecord& q, const ShowStyle&) { return escaped(q.name); },
                  false, true},
      CountColumn{"scheduled", "SCHEDULED", number<&QueueRecord::scheduled>, true},
      CountColumn{"ready", "READY", number<&QueueRecord::ready>, true},
      CountColumn{"held", "HELD", number<&QueueRecord::held>, true},
      CountColumn{"running", "RUNNING", number<&QueueRecord::running>, true},
      CountColumn{"dead", "DEAD", number<&QueueRecord::dead>, true},
      CountColumn{"oldest", "OLDEST",
                  [](const QueueRecord& q, const ShowStyle& s) { return age_text(q.oldest_ready, s); }, true},
      CountColumn{"paused", "PAUSED",
                  [](const QueueRecord& q, const ShowStyle& s) {
                    return q.pause ? pause_text(*q.pause, s) : std::string("-");
                  }},
  };
}
constexpr auto kQueueColumns = columns_titled("QUEUE");
constexpr auto kKindColumns = columns_titled("KIND");

constexpr std::array<std::string_view, 7> kCountSortFields{"name",    "scheduled", "ready", "held",
                                                           "running", "dead",      "oldest"};

void write_counts(json::Writer& writer, const QueueRecord& queue, WallTime now) {
  write_text(writer, "name", queue.name);
  writer.key("scheduled")
      .integer(queue.scheduled)
      .key("ready")
      .integer(queue.ready)
      .key("held")
      .integer(queue.held);
  writer.key("running").integer(queue.running).key("dead").integer(queue.dead);
  write_time(writer, "oldest_ready", queue.oldest_ready);
  writer.key("oldest_ms");
  if (queue.oldest_ready)
    writer.integer(std::chrono::floor<std::chrono::milliseconds>(now - *queue.oldest_ready).count());
  else writer.null();
  writer.key("pause");
  if (queue.pause) write_pause(writer, *queue.pause);
  else writer.null();
}

void write_queue(json::Writer& writer, const QueueRecord& queue, WallTime now) {
  writer.begin_object();
  write_counts(writer, queue, now);
  writer.end_object();
}

std::int64_t sort_key(const QueueRecord& queue, std::string_view field, WallTime now) {
  if (field == "scheduled") return queue.scheduled;
  if (field == "ready") return queue.ready;
  if (field == "held") return queue.held;
  if (field == "running") return queue.running;
  if (field == "dead") return queue.dead;
  return queue.oldest_ready ? (now - *queue.oldest_ready).count() : -1;
}

void sort(std::vector<QueueRecord>& queues, const SortOrder& order, WallTime now) {
  std::stable_sort(queues.begin(), queues.end(), [&](const QueueRecord& a, const QueueRecord& b) {
    const QueueRecord& low = order.descending ? b : a;
    const QueueRecord& high = order.descending ? a : b;
    if (order.field == "name") return low.name < high.name;
    return sort_key(low, order.field, now) < sort_key(high, order.field, now);
  });
}

// Queues and kinds are listed and shown alike.
struct CountedNoun {
  std::string_view name, many;
  std::span<const CountColumn> columns;
  std::vector<QueueRecord> (*records)(queue::JobReader& reader);
  std::vector<std::string> queue::PoolRecord::*in_pools;  // where pools name it
};

const CountedNoun kQueueNoun{"queue", "queues", kQueueColumns,
                             [](queue::JobReader& reader) { return reader.queues(); },
                             &queue::PoolRecord::queues};
const CountedNoun kKindNoun{"kind", "kinds", kKindColumns,
                            [](queue::JobReader& reader) { return reader.kinds(); },
                            &queue::PoolRecord::kinds};

ExitCode list_counted(Session& session, const CountedNoun& noun) {
  const queue::Filter filter = session.filter(queue::queue_filter_fields());
  const auto order = sort_order(session, kCountSortFields);
  const std::size_t limit = session.limit();
  std::vector<QueueRecord> rows;
  session.readable_store().read([&](queue::JobReader& reader) { rows = noun.records(reader); });
  std::erase_if(rows, [&](const QueueRecord& row) { return !queue::matches(filter, row, session.now()); });
  sort(rows, order.value_or(SortOrder{"name"}), session.now());
  const ListTotal total =
      take_page(session, limit, noun.name, rows, [](const QueueRecord& row) { return row.name; });
  return print_list<QueueRecord>(session, fmt::format("tenure.{}.list/1", noun.name), {noun.name, noun.many},
                                 noun.columns, rows, total, write_queue);
}

struct ShownQueue {
  QueueRecord counts;
  std::vector<queue::PoolRecord> pools;  // that name it, as the last dispatcher has told
  bool has_dispatcher = false;
};

[[noreturn]] void refuse_uncounted(const CountedNoun& noun, std::string_view name,
                                   const std::vector<QueueRecord>& rows) {
  std::vector<std::string_view> names;
  for (const QueueRecord& row : rows) names.push_back(row.name);
  const auto near = nearest(name, names);
  raise(ErrorCode::record_not_found,
        fmt::format("no job was ever enqueued with the {} {}{}", noun.name, escaped(name, 64),
                    near ? fmt::format("; did you mean {}?", escaped(*near)) : ""));
}

ShownQueue find_counted(Session& session, const CountedNoun& noun) {
  const std::string& name = session.words().front();
  std::vector<QueueRecord> rows;
  ShownQueue shown;
  session.readable_store().read([&](queue::JobReader& reader) {
    rows = noun.records(reader);
    shown.pools = reader.pools();
    shown.has_dispatcher = reader.has_dispatcher();
  });
  const auto found = std::ranges::find(rows, name, &QueueRecord::name);
  if (found == rows.end()) refuse_uncounted(noun, name, rows);
  shown.counts = *found;
  std::erase_if(shown.pools, [&](const queue::PoolRecord& pool) {
    return std::ranges::find(pool.*noun.in_pools, name) == (pool.*noun.in_pools).end();
  });
  return shown;
}

std::string tenants_text(const queue::PoolRecord& pool) {
  if (pool.tenants.rule == queue::PoolTenants::Rule::all) return "";
  return "; tenants: " + escaped(text_of(pool.tenants), 1024);
}

std::string counted_text(const ShownQueue& shown, const CountedNoun& noun, const ShowStyle& style) {
  const auto line = [](std::string_view name, std::string_view value) {
    return fmt::format("{:<9}{}\n", name, value);
  };
  const QueueRecord& q = shown.counts;
  std::string out = line(noun.name, escaped(q.name));
  out += line("jobs", fmt::format("{} scheduled, {} ready, {} held, {} running, {} dead",
                                  number_text(q.scheduled, style), number_text(q.ready, style),
                                  number_text(q.held, style), number_text(q.running, style),
                                  number_text(q.dead, style)));
  if (q.oldest_ready) out += line("oldest", "due " + full_time_text(q.oldest_ready, style));
  if (q.pause) {
    out += line("paused", pause_text(*q.pause, style));
    out += line("change", fmt::format("tenure {} resume {}", noun.name, shell_text(std::vector{q.name})));
  }
  for (const queue::PoolRecord& pool : shown.pools)
    out += line("pool", fmt::format("{}, {}{}", escaped(pool.name),
                                    counted(pool.workers, "worker process", "worker processes", style),
                                    tenants_text(pool)));
  if (shown.pools.empty()) out += line("pool", "none that the dispatcher has told of");
  if (!shown.has_dispatcher)
    out += line("", "No dispatcher is seen to run: pools are what the last one has told.");
  if (q.held > 0)
    out += line("held", fmt::format("why: tenure why {} state=held",
                                    shell_text(std::vector{exact_term(noun.name, q.name)})));
  return out;
}

void write_tenants(json::Writer& writer, const queue::PoolTenants& tenants) {
  constexpr std::array<std::string_view, 3> kRules{"all", "only", "all_but"};
  writer.key("tenants").begin_object();
  writer.key("rule").string(kRules.at(static_cast<std::size_t>(tenants.rule))).key("names").begin_array();
  for (const std::string& name : tenants.names) writer.string(to_utf8(name));
  writer.end_array().end_object();
}

std::string counted_json(const ShownQueue& shown, const CountedNoun& noun, WallTime now) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string(fmt::format("tenure.{}.show/1", noun.name));
  writer.key("item").begin_object();
  write_counts(writer, shown.counts, now);
  writer.key("has_dispatcher").boolean(shown.has_dispatcher).key("pools").begin_array();
  for (const queue::PoolRecord& pool : shown.pools) {
    writer.begin_object();
    write_text(writer, "name", pool.name);
    writer.key("workers").integer(pool.workers);
    write_tenants(writer, pool.tenants);
    writer.end_object();
  }
  writer.end_array().end_object().end_object();
  return out;
}

ExitCode show_counted(Session& session, const CountedNoun& noun) {
  const ShownQueue shown = find_counted(session, noun);
  if (session.json()) session.print_json(counted_json(shown, noun, session.now()));
  else session.print(counted_text(shown, noun, session.style()));
  return ExitCode::done;
}

}  // namespace

ListWords queue_words() {
  return {queue::queue_filter_fields(), kCountSortFields, column_names<QueueRecord>(kQueueColumns)};
}
ListWords kind_words() {
  return {queue::queue_filter_fields(), kCountSortFields, column_names<QueueRecord>(kKindColumns)};
}

ExitCode queue_list(Session& session) { return list_counted(session, kQueueNoun); }
ExitCode queue_show(Session& session) { return show_counted(session, kQueueNoun); }
ExitCode kind_list(Session& session) { return list_counted(session, kKindNoun); }
ExitCode kind_show(Session& session) { return show_counted(session, kKindNoun); }

}  // namespace tenure::cli
