#include "batch.hpp"
#include "fan_out.hpp"
#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <vector>

// What a batch waits for, and with it what it is yet to make.
namespace tenure::cli {
namespace {

std::string batch_line(std::string_view name, std::string_view value) {
  return value.empty() ? "" : fmt::format("{:<11}{}\n", name, value);
}

// An id that names no job may name a batch, or a job that a batch is yet to make.
struct ExplainedBatch {
  queue::BatchRecord record;
  std::optional<queue::BatchMoment> moment;         // of the callback that was asked for
  std::vector<queue::JobId> unended;                // the first of them
  std::optional<queue::FanOutRecord> fan_out = {};  // that it is of
  bool has_daemon = true;
};
constexpr std::size_t kUnendedNamed = 5;

std::optional<ExplainedBatch> find_batch_of(Session& session, Uuid id) {
  std::optional<ExplainedBatch> found;
  session.readable_store().read([&](queue::JobReader& reader) {
    if (reader.find_job(queue::JobId{id})) return;
    const auto callback = reader.batches().callback_of(queue::JobId{id});
    auto record = reader.batches().batch(callback ? callback->batch : BatchId{id});
    if (!record) return;
    found = ExplainedBatch{.record = *record, .moment = {}, .unended = {}};
    if (callback) found->moment = callback->moment;
    found->unended = reader.batches().unended_members(record->id, kUnendedNamed);
    found->fan_out = reader.fan_outs().fan_out(record->id);
    found->has_daemon = reader.has_dispatcher();
  });
  return found;
}

std::string waits_of(const ExplainedBatch& batch, const ShowStyle& style) {
  if (!batch.fan_out) return batch_waits_text(batch.record, style);
  std::string waits = fan_out_waits_text(*batch.fan_out, style);
  const bool is_left = batch.fan_out->is_under_way && !batch.has_daemon;
  return is_left ? "tenured, which does not run; then " + waits : waits;
}

std::string text_of_batch(const ExplainedBatch& batch, const ShowStyle& style) {
  const queue::BatchRecord& r = batch.record;
  const std::string waits = waits_of(batch, style);
  std::string out = batch.fan_out ? batch_line("fan-out", fan_out_text(*batch.fan_out, style))
                                  : batch_line("batch", member_text(r, style));
  out += batch_line("waits for", waits.empty() ? "nothing: it is complete" : waits);
  if (batch.fan_out) out += batch_line("pace", fan_out_pace_text(*batch.fan_out, style));
  for (const queue::JobId id : batch.unended) out += batch_line("member", id.text());
  for (const queue::BatchMoment moment : {queue::BatchMoment::complete, queue::BatchMoment::success})
    if (!batch.moment || batch.moment == moment)
      out += batch_line(queue::name_of(moment), callback_text(r, moment, style));
  const std::string noun = batch.fan_out ? "fan-out" : "batch";
  return out + batch_line("change", waits.empty() ? "tenure batch retry " + r.id.text()
                                                  : "tenure " + noun + " cancel " + r.id.text());
}

std::string json_of_batch(const ExplainedBatch& batch, const ShowStyle& style) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.batch.why/1").key("item").begin_object();
  writer.key("batch")
      .string(batch.record.id.text())
      .key("state")
      .string(queue::name_of(batch.record.state()));
  writer.key("moment");
  if (batch.moment) writer.string(queue::name_of(*batch.moment));
  else writer.null();
  write_text(writer, "waits_for", waits_of(batch, style));
  writer.key("is_fan_out").boolean(batch.fan_out.has_value());
  writer.key("unended").integer(batch.record.counts.unended()).key("unended_jobs").begin_array();
  for (const queue::JobId id : batch.unended) writer.string(id.text());
  writer.end_array().end_object().end_object();
  return out;
}

}  // namespace

std::optional<ExitCode> why_of_batch(Session& session, Uuid id) {
  const auto batch = find_batch_of(session, id);
  if (!batch) return std::nullopt;
  if (session.json()) session.print_json(json_of_batch(*batch, session.style()));
  else session.print(text_of_batch(*batch, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
