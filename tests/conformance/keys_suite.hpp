#pragma once

#include "store_suite.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

// What the suites of concurrency keys and of unique keys share.
namespace tenure::testing {

using std::chrono::microseconds;

class KeysSuite : public StoreSuite {
 protected:
  KeysSuite() {
    acme_ = create_tenant("acme").number;
    globex_ = create_tenant("globex").number;
    initech_ = create_tenant("initech").number;
  }

  NewJob keyed(std::string_view tenant = "acme", int running_max = 1, bool is_global = false) {
    NewJob job = new_job(tenant);
    job.concurrency = ConcurrencyKey{"reports", running_max, is_global};
    return job;
  }
  NewJob unique(std::string_view tenant = "acme", UniqueUntil until = UniqueUntil::ended) {
    NewJob job = new_job(tenant);
    job.unique = UniqueKey{"close 2026-11", until};
    return job;
  }
  std::vector<Enqueued> put_keyed(std::size_t count, int running_max = 1) {
    std::vector<Enqueued> jobs;
    for (std::size_t job = 0; job < count; ++job) jobs.push_back(put(keyed("acme", running_max)));
    return jobs;
  }
  // Of all tenants together, in the order in which they are asked.
  std::vector<ClaimedJob> claim_all() {
    std::vector<ClaimedJob> claimed;
    for (const TenantNumber tenant : {acme_, globex_, initech_}) {
      if (std::ranges::none_of(lanes(), [&](const Lane& lane) { return lane.tenant == tenant; })) continue;
      auto reply = claim(tenant, 100);
      claimed.insert(claimed.end(), reply.jobs.begin(), reply.jobs.end());
    }
    return claimed;
  }
  static std::vector<JobId> ids_of(const std::vector<ClaimedJob>& jobs) {
    std::vector<JobId> ids;
    for (const ClaimedJob& job : jobs) ids.push_back(job.id);
    return ids;
  }
  bool waits(const Enqueued& job) {
    const JobRecord now = record(job.id);
    return now.state == ShownState::blocked && now.reason == JobReason::limit_key;
  }
  std::vector<JobSeq> hints() {
    std::vector<JobSeq> seqs;
    for (const JobArrival& job : written([](StoreWriter& writer) { return writer.take_lane_hints(100); }))
      seqs.push_back(job.seq);
    return seqs;
  }
  JobKeys keys(JobId id) {
    return asked([&](JobReader& reader) { return reader.job_keys(reader.find_job(id).value()); });
  }
  void succeed(const ClaimedJob& job) {
    write([&](StoreWriter& writer) { value_or_raise(writer.finish_succeeded(ref(job), now_)); });
  }
  void die(const ClaimedJob& job) {
    write([&](StoreWriter& writer) {
      value_or_raise(writer.finish(ref(job), JobState::dead, JobReason::attempts_exhausted, {}, now_));
    });
  }
  Result<void> retry(JobId id) {
    return written([&](StoreWriter& writer) { return writer.retry_by_operator(id, now_); });
  }

  TenantNumber acme_, globex_, initech_;
  const AttemptFailure failure_{ErrorCode::handler_failed, "no"};
};

}  // namespace tenure::testing
