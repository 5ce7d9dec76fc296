#pragma once

#include "store_suite.hpp"

#include <algorithm>
#include <string>
#include <vector>

// Batches on each store.
namespace tenure::testing {

class BatchSuite : public StoreSuite {
 protected:
  BatchSuite() {
    acme_ = create_tenant("acme").number;
    globex_ = create_tenant("globex").number;
  }

  static TenantName name_of_tenant(std::string_view name) { return value_or_raise(TenantName::parse(name)); }
  BatchCallback callback(std::string_view kind) {
    BatchCallback callback;
    callback.job.queue = "default";
    callback.job.kind = kind;
    callback.job.attempts_max = 3;
    callback.job.arguments = "{}";
    return callback;
  }
  NewBatch new_batch(std::optional<std::string_view> tenant = "acme") {
    NewBatch batch;
    batch.id = BatchId{new_job().id.uuid};
    if (tenant) batch.tenant = name_of_tenant(*tenant);
    batch.name = "import";
    batch.on_complete = callback("report.complete");
    batch.on_success = callback("report.success");
    return batch;
  }
  BatchId open(std::optional<std::string_view> tenant = "acme") { return open(new_batch(tenant)); }
  BatchId open(const NewBatch& batch) {
    write([&](StoreWriter& writer) { value_or_raise(writer.batches().open(batch, now_)); });
    return batch.id;
  }
  void close(BatchId id) {
    write([&](StoreWriter& writer) { value_or_raise(writer.batches().close(id, now_)); });
  }
  NewJob member(BatchId id, std::string_view tenant = "acme") {
    NewJob job = new_job(tenant);
    job.batch = id;
    return job;
  }
  void put_members(BatchId id, int count) {
    for (int i = 0; i < count; ++i) put(member(id));
  }
  BatchRecord batch(BatchId id) {
    return asked([&](JobReader& reader) { return reader.batches().batch(id); }).value();
  }
  // Which of its callbacks are jobs.
  std::vector<std::string> made(BatchId id) {
    std::vector<std::string> moments;
    for (const BatchMoment moment : {BatchMoment::complete, BatchMoment::success})
      if (asked([&](JobReader& reader) { return reader.find_job(job_id_of_callback(id, moment)); }))
        moments.emplace_back(name_of(moment));
    return moments;
  }
  void succeed(const ClaimedJob& job) {
    write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(job), now_)); });
  }
  void end(const ClaimedJob& job, JobState state) {
    write([&](StoreWriter& writer) {
      value_or_raise(writer.finish(ref(job), state, JobReason::by_rule, failure_, now_));
    });
  }
  template <class Verb>
  auto by_operator(Verb verb) {
    return written(verb);
  }
  std::vector<MiscountedBatch> miscounted() {
    return asked([](JobReader& reader) { return reader.batches().miscounted(10); });
  }
  std::vector<JobId> listed(const std::string& words) {
    std::vector<std::string> terms;
    for (std::size_t at = 0; at < words.size();) {
      const std::size_t blank = std::min(words.find(' ', at), words.size());
      terms.push_back(words.substr(at, blank - at));
      at = blank + 1;
    }
    const Filter filter = value_or_raise(parse_filter(terms, job_filter_fields(), now_));
    std::vector<JobId> ids;
    for (const JobRecord& job :
         asked([&](JobReader& reader) { return reader.list_jobs(filter, {.looks_max = 1}, now_); }).jobs)
      ids.push_back(job.id);
    return ids;
  }

  TenantNumber acme_, globex_;
  const AttemptFailure failure_{ErrorCode::handler_failed, "no"};
};

}  // namespace tenure::testing
