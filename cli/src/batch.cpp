#include "batch.hpp"

#include "job.hpp"
#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

// Looking at batches; what is done to their members stands in job_verbs.cpp.
namespace tenure::cli {
namespace {

using queue::BatchMoment;
using queue::BatchRecord;

constexpr std::size_t kBatchesAtOnce = 500;
constexpr std::size_t kUnendedShown = 5;
constexpr std::array<std::string_view, 2> kBatchSortFields{"created", "finished"};

std::int64_t failed_of(const BatchRecord& batch) {
  return batch.counts.dead + batch.counts.discarded + batch.counts.cancelled;
}

constexpr std::array<ListColumn<BatchRecord>, 9> kBatchColumns{
    ListColumn<BatchRecord>{"id", "BATCH",
                            [](const BatchRecord& batch, const ShowStyle&) { return batch.id.text(); }, false,
                            true},
    ListColumn<BatchRecord>{"tenant", "TENANT",
                            [](const BatchRecord& batch, const ShowStyle&) {
                              return batch.tenant ? escaped(batch.tenant->text()) : std::string{"none"};
                            }},
    ListColumn<BatchRecord>{"state", "STATE",
                            [](const BatchRecord& batch, const ShowStyle&) {
                              return std::string{queue::name_of(batch.state())};
                            }},
    ListColumn<BatchRecord>{"members", "MEMBERS",
                            [](const BatchRecord& batch, const ShowStyle& style) {
                              return number_text(batch.counts.members, style);
                            },
                            true},
    ListColumn<BatchRecord>{"succeeded", "SUCCEEDED",
                            [](const BatchRecord& batch, const ShowStyle& style) {
                              return number_text(batch.counts.succeeded, style);
                            },
                            true},
    ListColumn<BatchRecord>{
        "failed", "FAILED",
        [](const BatchRecord& batch, const ShowStyle& style) { return number_text(failed_of(batch), style); },
        true},
    ListColumn<BatchRecord>{
        "created", "CREATED",
        [](const BatchRecord& batch, const ShowStyle& style) { return time_text(batch.created, style); },
        true},
    ListColumn<BatchRecord>{
        "finished", "FINISHED",
        [](const BatchRecord& batch, const ShowStyle& style) { return time_text(batch.completed, style); },
        true},
    ListColumn<BatchRecord>{"name", "NAME",
                            [](const BatchRecord& batch, const ShowStyle&) { return escaped(batch.name); },
                            false, false, true, true}};

// Inside an object that the caller opened.
void write_batch_members(json::Writer& writer, const BatchRecord& batch) {
  writer.key("id").string(batch.id.text());
  write_text(writer, "name", batch.name);
  if (batch.tenant) write_text(writer, "tenant", batch.tenant->text());
  else writer.key("tenant").null();
  writer.key("generation").integer(batch.generation.value);
  write_text(writer, "state", queue::name_of(batch.state()));
  write_time(writer, "created", batch.created);
  write_time(writer, "closed", batch.closed);
  write_time(writer, "finished", batch.completed);
  write_time(writer, "succeeded_at", batch.succeeded);
  write_time(writer, "cancelled_at", batch.cancelled);
  const queue::BatchCounts& counts = batch.counts;
  writer.key("members").integer(counts.members).key("members_kept").integer(counts.present);
  writer.key("unended").integer(counts.unended()).key("succeeded").integer(counts.succeeded);
  writer.key("dead").integer(counts.dead).key("discarded").integer(counts.discarded);
  writer.key("cancelled").integer(counts.cancelled);
  write_callback(writer, "on_complete", batch.on_complete);
  write_callback(writer, "on_success", batch.on_success);
}

void write_batch(json::Writer& writer, const BatchRecord& batch, WallTime) {
  writer.begin_object();
  write_batch_members(writer, batch);
  writer.end_object();
}

std::vector<BatchRecord> matching_batches(Session& session, const queue::Filter& filter) {
  std::vector<BatchRecord> batches;
  session.readable_store().read([&](queue::JobReader& reader) {
    std::optional<queue::BatchNumber> before;
    for (;;) {
      auto page = reader.batches().batches(before, kBatchesAtOnce);
      if (page.empty()) return;
      before = page.back().number;
      for (BatchRecord& batch : page)
        if (matches(filter, batch, session.now())) batches.push_back(std::move(batch));
    }
  });
  return batches;
}

void sort_batches(std::vector<BatchRecord>& batches, const std::optional<SortOrder>& order) {
  if (!order) return;
  const auto key = [&](const BatchRecord& batch) {
    return order->field == "created" ? std::optional{batch.created} : batch.completed;
  };
  std::ranges::stable_sort(batches, [&](const BatchRecord& a, const BatchRecord& b) {
    return order->descending ? key(b) < key(a) : key(a) < key(b);
  });
}

struct WholeBatch {
  BatchRecord record;
  std::vector<queue::JobId> unended;  // the first of them
};

std::string batch_times_text(const BatchRecord& batch, const ShowStyle& style) {
  std::string text{queue::name_of(batch.state())};
  if (batch.completed) text += ", " + full_time_text(batch.completed, style);
  else if (batch.closed) text += ", " + full_time_text(batch.closed, style);
  if (batch.succeeded) text += "; every member had succeeded " + full_time_text(batch.succeeded, style);
  if (batch.cancelled) text += "; cancelled " + full_time_text(batch.cancelled, style);
  return text;
}

std::string batch_members_text(const BatchRecord& batch, const ShowStyle& style) {
  const queue::BatchCounts& counts = batch.counts;
  std::string text = fmt::format("{}: {} succeeded, {} dead, {} discarded, {} cancelled, {} not ended",
                                 number_text(counts.members, style), number_text(counts.succeeded, style),
                                 number_text(counts.dead, style), number_text(counts.discarded, style),
                                 number_text(counts.cancelled, style), number_text(counts.unended(), style));
  if (counts.present < counts.members)
    text += fmt::format("; {} removed since", number_text(counts.members - counts.present, style));
  return text;
}

std::string text_of_whole(const WholeBatch& batch, const ShowStyle& style) {
  const auto line = [](std::string_view name, std::string_view value) {
    return value.empty() ? std::string{} : fmt::format("{:<11}{}\n", name, value);
  };
  const BatchRecord& r = batch.record;
  std::string out = line("batch", r.id.text());
  out += line("name", escaped(r.name));
  out += line("tenant", r.tenant
                            ? fmt::format("{}, generation {}", escaped(r.tenant->text()), r.generation.value)
                            : "none");
  out += line("state", batch_times_text(r, style));
  out += line("opened", full_time_text(r.created, style));
  out += line("members", batch_members_text(r, style));
  out += line("waits for", batch_waits_text(r, style));
  for (const queue::JobId id : batch.unended) out += line("", id.text());
  out += line("complete", callback_text(r, BatchMoment::complete, style));
  return out + line("success", callback_text(r, BatchMoment::success, style));
}

std::string json_of_whole(const WholeBatch& batch, const ShowStyle& style) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.batch.show/1").key("item").begin_object();
  write_batch_members(writer, batch.record);
  write_text(writer, "waits_for", batch_waits_text(batch.record, style));
  writer.key("unended_jobs").begin_array();
  for (const queue::JobId id : batch.unended) writer.string(id.text());
  writer.end_array().end_object().end_object();
  return out;
}

}  // namespace

void write_callback(json::Writer& writer, std::string_view key,
                    const std::optional<queue::CallbackRecord>& callback) {
  writer.key(key);
  if (!callback) {
    writer.null();
    return;
  }
  writer.begin_object().key("job").string(callback->job.text());
  write_text(writer, "kind", callback->kind);
  write_time(writer, "enqueued", callback->enqueued);
  write_text(writer, "refused", callback->refused);
  writer.end_object();
}

BatchId batch_id(std::string_view word) {
  if (const auto uuid = Uuid::parse(word)) return BatchId{*uuid};
  raise(ErrorCode::bad_options,
        fmt::format("'{}' is no id of a batch; one looks like {}", escaped(word, 64), kJobIdExample));
}

queue::BatchRecord find_batch(Session& session, BatchId id) {
  std::optional<BatchRecord> found;
  session.readable_store().read([&](queue::JobReader& reader) { found = reader.batches().batch(id); });
  if (!found) raise(ErrorCode::record_not_found, fmt::format("there is no batch {}", id.text()));
  return std::move(*found);
}

std::string batch_waits_text(const BatchRecord& batch, const ShowStyle& style) {
  std::vector<std::string> parts;
  if (!batch.closed) parts.emplace_back("whoever opened it to close it");
  if (const auto unended = batch.counts.unended(); unended > 0)
    parts.push_back(fmt::format("{} to end", counted(unended, "member", style)));
  return fmt::format("{}", fmt::join(parts, ", and "));
}

std::string member_text(const BatchRecord& batch, const ShowStyle& style) {
  return fmt::format("{}{}{}, {}: {} of {} have ended", batch.id.text(), batch.name.empty() ? "" : ", ",
                     escaped(batch.name), queue::name_of(batch.state()),
                     number_text(batch.counts.ended(), style),
                     counted(batch.counts.members, "member", style));
}

std::string callback_text(const BatchRecord& batch, BatchMoment moment, const ShowStyle& style) {
  const auto& callback = moment == BatchMoment::complete ? batch.on_complete : batch.on_success;
  if (!callback) return {};
  const std::string job = fmt::format("{} {}", escaped(callback->kind), callback->job.text());
  if (callback->enqueued)
    return fmt::format("{}, enqueued {}", job, full_time_text(callback->enqueued, style));
  if (!callback->refused.empty()) return fmt::format("{}, refused: {}", job, escaped(callback->refused, 500));
  if (moment == BatchMoment::success && (failed_of(batch) > 0 || batch.cancelled))
    return fmt::format("{}, not enqueued: not every member has succeeded", job);
  return job + ", not enqueued yet";
}

ListWords batch_words() {
  return {queue::batch_filter_fields(), kBatchSortFields,
          column_names(std::span<const ListColumn<BatchRecord>>{kBatchColumns})};
}

ExitCode batch_list(Session& session) {
  const queue::Filter filter = session.filter(queue::batch_filter_fields());
  const auto order = sort_order(session, kBatchSortFields);
  std::vector<BatchRecord> batches = matching_batches(session, filter);
  sort_batches(batches, order);
  const ListTotal total = take_page(session, session.limit(), "batch", batches,
                                    [](const BatchRecord& batch) { return batch.id.text(); });
  return print_list<BatchRecord>(session, "tenure.batch.list/1", {"batch", "batches"}, kBatchColumns, batches,
                                 total, &write_batch);
}

ExitCode batch_show(Session& session) {
  WholeBatch batch{find_batch(session, batch_id(session.words().front())), {}};
  session.readable_store().read([&](queue::JobReader& reader) {
    batch.unended = reader.batches().unended_members(batch.record.id, kUnendedShown);
  });
  if (session.json()) session.print_json(json_of_whole(batch, session.style()));
  else session.print(text_of_whole(batch, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
