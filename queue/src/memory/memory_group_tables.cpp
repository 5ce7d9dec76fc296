#include "memory_tables.hpp"

#include <limits>
#include <utility>
#include <vector>

// The rows of what says something of many jobs: schedules, batches, fan-outs, limits, pauses and requests for capsules.
namespace tenure::queue {

ScheduleNumber MemoryTables::insert_schedule(ScheduleRecord schedule) {
  last_schedule_.value += 1;  // never taken back: a number is never given out twice
  schedules_mark_.value += 1;
  schedule.number = last_schedule_;
  set(schedules_, last_schedule_, std::move(schedule));
  return last_schedule_;
}

void MemoryTables::update_schedule(const ScheduleRecord& schedule, bool is_change) {
  if (is_change) schedules_mark_.value += 1;
  set(schedules_, schedule.number, schedule);
}

void MemoryTables::erase_schedule(ScheduleNumber number) {
  schedules_mark_.value += 1;
  erase(schedules_, number);
}

void MemoryTables::set_schedule_tick(const TickRow& row) {
  set(schedule_ticks_, {row.schedule, row.tick, row.tenant, row.is_manual}, row);
}

void MemoryTables::erase_schedule_tick(const TickKey& key) { erase(schedule_ticks_, TickKey{key}); }

void MemoryTables::set_schedule_job(JobSeq seq, const ScheduleOwner& owner) {
  set(schedule_jobs_, seq, owner);
}

void MemoryTables::erase_schedule_job(JobSeq seq) { erase(schedule_jobs_, JobSeq{seq}); }

BatchNumber MemoryTables::insert_batch(BatchRow batch) {
  last_batch_.value += 1;  // never taken back: a number is never given out twice
  batch.number = last_batch_;
  set(batches_, last_batch_, std::move(batch));
  return last_batch_;
}

void MemoryTables::set_batch(const BatchRow& batch) { set(batches_, batch.number, batch); }

void MemoryTables::erase_batch(BatchNumber number) {
  for (const BatchMoment moment : {BatchMoment::complete, BatchMoment::success})
    erase(batch_callbacks_, {number, moment});
  erase(batches_, BatchNumber{number});
  if (!fan_outs_.contains(number)) return;
  std::vector<SkipKey> skips;
  for (const auto& [key, row] : fan_out_skips_)
    if (key.first == number) skips.push_back(key);
  for (const SkipKey& key : skips) erase(fan_out_skips_, key);
  erase(fan_outs_, BatchNumber{number});
}

void MemoryTables::set_fan_out(const FanOutRow& fan_out) { set(fan_outs_, fan_out.batch, fan_out); }
void MemoryTables::set_fan_out_skip(const SkipKey& key, const SkippedTenant& tenant) {
  set(fan_out_skips_, key, tenant);
}

void MemoryTables::set_batch_callback(const CallbackRow& callback) {
  set(batch_callbacks_, {callback.batch, callback.moment}, callback);
}

void MemoryTables::set_batch_job(JobSeq seq, const MemberRow& member) { set(batch_jobs_, seq, member); }
void MemoryTables::erase_batch_job(JobSeq seq) { erase(batch_jobs_, JobSeq{seq}); }

void MemoryTables::insert_limit(LimitRecord limit) {
  last_limit_.value += 1;  // never taken back
  limits_mark_.value += 1;
  limit.number = last_limit_;
  set(limits_, last_limit_, std::move(limit));
}

void MemoryTables::update_limit(const LimitRecord& limit) {
  limits_mark_.value += 1;
  if (limits_.at(limit.number).target != limit.target) erase_buckets_of(limit.number);
  set(limits_, limit.number, limit);
}

void MemoryTables::erase_limit(LimitNumber number) {
  limits_mark_.value += 1;
  erase_buckets_of(number);
  erase(limits_, number);
}

void MemoryTables::erase_buckets_of(LimitNumber number) {
  std::vector<BucketKey> gone;
  for (const auto& [key, bucket] : start_buckets_)
    if (key.first.limit == number) gone.push_back(key);
  for (const BucketKey& key : gone) erase(start_buckets_, key);
}

void MemoryTables::set_start_bucket(const StartBucket& bucket) {
  set(start_buckets_, {bucket.group, bucket.number}, bucket);
}

void MemoryTables::erase_start_bucket(const BucketKey& key) { erase(start_buckets_, key); }

void MemoryTables::forget_start_buckets(const LimitGroup& group, WallTime until) {
  std::vector<BucketKey> gone;
  for (auto at = start_buckets_.lower_bound({group, std::numeric_limits<std::int64_t>::min()});
       at != start_buckets_.end() && at->first.first == group; ++at)
    if (at->second.last_start <= until) gone.push_back(at->first);
  for (const BucketKey& key : gone) erase(start_buckets_, key);
}

void MemoryTables::set_pause(const PauseRecord& record) {
  pauses_mark_.value += 1;
  set(pauses_, {record.scope, record.name}, record);
}

void MemoryTables::erase_pause(const PauseKey& key) {
  pauses_mark_.value += 1;
  erase(pauses_, key);
}

CaptureNumber MemoryTables::insert_capture(MemoryCapture capture) {
  last_capture_.value += 1;  // never taken back: a number is never given out twice
  captures_mark_.value += 1;
  capture.record.number = last_capture_;
  set(captures_, last_capture_, std::move(capture));
  return last_capture_;
}

void MemoryTables::update_capture(CaptureNumber number, const MemoryCapture& capture) {
  captures_mark_.value += 1;
  set(captures_, number, capture);
}

void MemoryTables::erase_capture(CaptureNumber number) {
  captures_mark_.value += 1;
  erase(captures_, number);
}

void MemoryTables::forget_captures(JobSeq seq) {
  std::vector<CaptureNumber> requests;
  for (const auto& [number, capture] : captures_)
    if (capture.job == seq) requests.push_back(number);
  for (const CaptureNumber number : requests) erase_capture(number);
  std::vector<std::int64_t> notes;
  for (const auto& [number, capsule] : capsules_)
    if (capsule.seq == seq) notes.push_back(number);
  for (const std::int64_t number : notes) erase(capsules_, number);
}

void MemoryTables::add_capsule(const MemoryCapsule& capsule) {
  set(capsules_, ++last_capsule_, capsule);
  while (!capsules_.empty() && capsules_.begin()->first <= last_capsule_ - kCapsulesKept)
    erase(capsules_, std::int64_t{capsules_.begin()->first});
}

}  // namespace tenure::queue
