#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>

#include <array>

namespace tenure::cli {
namespace {

using queue::QueueRecord;

template <std::int64_t QueueRecord::*kMember>
std::string number(const QueueRecord& queue, const ShowStyle& style) {
  return number_text(queue.*kMember, style);
}

constexpr std::array kQueueColumns{
    ListColumn<QueueRecord>{
        "name", "QUEUE", [](const QueueRecord& q, const ShowStyle&) { return escaped(q.name); }, false, true},
    ListColumn<QueueRecord>{"scheduled", "SCHEDULED", number<&QueueRecord::scheduled>, true},
    ListColumn<QueueRecord>{"ready", "READY", number<&QueueRecord::ready>, true},
    ListColumn<QueueRecord>{"held", "HELD", number<&QueueRecord::held>, true},
    ListColumn<QueueRecord>{"running", "RUNNING", number<&QueueRecord::running>, true},
    ListColumn<QueueRecord>{"dead", "DEAD", number<&QueueRecord::dead>, true},
    ListColumn<QueueRecord>{
        "oldest", "OLDEST",
        [](const QueueRecord& q, const ShowStyle& s) { return age_text(q.oldest_ready, s); }, true},
};

constexpr std::array<std::string_view, 7> kQueueSortFields{"name",    "scheduled", "ready", "held",
                                                           "running", "dead",      "oldest"};

void write_queue(json::Writer& writer, const QueueRecord& queue, WallTime now) {
  writer.begin_object();
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

}  // namespace

ListWords queue_words() {
  return {queue::queue_filter_fields(), kQueueSortFields, column_names<QueueRecord>(kQueueColumns)};
}

ExitCode queue_list(Session& session) {
  const queue::Filter filter = session.filter(queue::queue_filter_fields());
  const auto order = sort_order(session, kQueueSortFields);
  const std::size_t limit = session.limit();
  std::vector<QueueRecord> queues;
  session.readable_store().read([&](queue::JobReader& reader) { queues = reader.queues(); });
  std::erase_if(queues,
                [&](const QueueRecord& queue) { return !queue::matches(filter, queue, session.now()); });
  sort(queues, order.value_or(SortOrder{"name"}), session.now());
  ListTotal total{std::ssize(queues)};
  if (session.has("after")) {
    const auto first = std::find_if(queues.begin(), queues.end(),
                                    [&](const QueueRecord& q) { return q.name == session.option("after"); });
    if (first == queues.end()) raise(ErrorCode::bad_options, "--after names no queue of this list");
    queues.erase(queues.begin(), first + 1);
  }
  if (queues.size() > limit) {
    queues.resize(limit);
    total.next = queues.back().name;
  }
  return print_list<QueueRecord>(session, "tenure.queue.list/1", "queue", kQueueColumns, queues, total,
                                 write_queue);
}

}  // namespace tenure::cli
