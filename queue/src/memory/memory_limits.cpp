#include "memory_limits.hpp"

#include "memory_reader.hpp"

#include <algorithm>

namespace tenure::queue {

std::vector<LimitRecord> MemoryLimitRows::limits() {
  std::vector<LimitRecord> limits;
  for (const auto& [number, limit] : tables_.limits()) limits.push_back(limit);
  std::ranges::sort(limits, {}, &LimitRecord::name);
  return limits;
}

std::vector<LimitRecord> MemoryLimitRows::limits_per_key() {
  std::vector<LimitRecord> found = limits();
  std::erase_if(found, [](const LimitRecord& limit) { return !limit.target.per.key; });
  return found;
}

std::vector<StartBucket> MemoryLimitRows::buckets(LimitNumber number) {
  std::vector<StartBucket> buckets;
  for (const auto& [key, bucket] : tables_.start_buckets())
    if (key.first.limit == number) buckets.push_back(bucket);
  return buckets;
}

std::vector<StartBucket> MemoryLimitRows::all_buckets(WallTime now) const {
  std::vector<StartBucket> buckets;
  for (const auto& [key, bucket] : tables_.start_buckets())
    if (bucket.last_start > now - kRateWindowMax) buckets.push_back(bucket);
  return buckets;
}

void MemoryLimitRows::note(std::span<const BucketNote> notes, WallTime now) {
  for (const BucketNote& note : notes) {
    StartBucket bucket = note.bucket;
    const MemoryTables::BucketKey key{bucket.group, bucket.number};
    const auto known = tables_.start_buckets().find(key);
    if (!note.is_news) {
      if (known == tables_.start_buckets().end() || known->second.last_start >= now) continue;
      bucket = known->second;
      bucket.last_start = now;
      writable_->set_start_bucket(bucket);
      continue;
    }
    writable_->forget_start_buckets(bucket.group, now - note.window);
    if (bucket.starts == 0) {
      writable_->erase_start_bucket(key);
      continue;
    }
    bucket.last_start = now + note.open_for;
    writable_->set_start_bucket(bucket);
  }
}

std::vector<RunningClaim> MemoryLimitRows::claims() {
  std::vector<RunningClaim> claims;
  for (const auto& [seq, claim] : tables_.claims()) {
    const MemoryJob& job = tables_.jobs().at(seq);
    claims.push_back({seq, job.id, job.lane, claim.started, claim.key});
  }
  return claims;
}

std::string MemoryLimitRows::name_of(QueueNumber queue) { return MemoryReader{tables_}.queue_name(queue); }
std::string MemoryLimitRows::name_of(KindNumber kind) { return MemoryReader{tables_}.kind_name(kind); }
std::string MemoryLimitRows::name_of(TenantNumber tenant) {
  const auto record = tables_.tenant(tenant);
  return record ? std::string{record->name.text()} : "none";
}

std::vector<LimitStanding> MemoryReader::limits_of(const JobRecord& job) {
  return limit_questions_.standings_of(lane_of(job));
}

}  // namespace tenure::queue
