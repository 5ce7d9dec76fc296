#include "../job_rules.hpp"
#include "sqlite_writer.hpp"
#include "tenant_rows.hpp"

#include <tenure/base/text.hpp>

#include <algorithm>
#include <limits>

namespace tenure::queue {
namespace {

using sqlite::Query;

// The front of one lane behind a cursor, without jobs that run. The end bound is the last place that is still wanted when
// other lanes have filled the batch. SQLite seeks by a rowid inside a row value only where a collation is named; without
// it a lane in which many jobs are due at once is read from its front at each claim.
// ?1 queue  ?2 priority  ?3 tenant  ?4 kind  ?5, ?6 cursor (due_us, seq)  ?7, ?8 end  ?9 limit. Index: job_ready.
constexpr Query kLaneFront{"lane_front", R"sql(
  select due_us, seq, id, attempts_max, failures, crashes, releases
  from job indexed by job_ready
  where state = 2 and queue = ?1 and priority = ?2 and tenant = ?3 and kind = ?4
    and (due_us, seq) > (?5, ?6 collate binary) and (due_us, seq) < (?7, ?8 collate binary)
    and not exists (select 1 from claim where claim.seq = job.seq)
  order by due_us, seq limit ?9)sql"};

// ?1 seq. Index: primary key.
constexpr Query kClaimedEnvelope{"claimed_envelope", "select envelope from payload where seq = ?1"};

// The whole of a claim: the job's row is not touched.
// ?1 seq  ?2 incarnation  ?3 counter  ?4 process  ?5 now_us.
constexpr Query kInsertClaim{"insert_claim", R"sql(
  insert into claim(seq, incarnation, counter, process, started_us) values (?1, ?2, ?3, ?4, ?5))sql"};

constexpr LanePlace kFront{from_us(std::numeric_limits<std::int64_t>::min()), JobSeq{0}};
constexpr LanePlace kEnd{from_us(std::numeric_limits<std::int64_t>::max()),
                         JobSeq{std::numeric_limits<std::int64_t>::max()}};

ClaimedJob job_of(const sqlite::Statement& row, const Lane& lane) {
  ClaimedJob job;
  job.place = {from_us(row.integer(0)), JobSeq{row.integer(1)}};
  job.seq = job.place.seq;
  if (const auto id = Uuid::from_bytes(row.blob(2))) job.id = JobId{*id};
  job.lane = lane;
  job.attempts_max = static_cast<int>(row.integer(3));
  job.failures = static_cast<int>(row.integer(4));
  job.crashes = static_cast<int>(row.integer(5));
  job.releases = static_cast<int>(row.integer(6));
  return job;
}

bool comes_first(const ClaimedJob& a, const ClaimedJob& b) { return a.place < b.place; }

}  // namespace

ClaimReply SqliteWriter::claim(const ClaimRequest& request, WallTime now) {
  std::optional<TenantRecord> tenant;
  if (request.tenant != kUntenanted) {
    tenant = tenant_numbered(connection_, request.tenant);
    const TenantState state = tenant ? tenant->state : TenantState::deleted;
    if (!may_be_claimed(state)) return {.jobs = {}, .gate = state};
  }
  ClaimReply reply{.jobs = front_of_lanes(request)};
  read_envelopes(reply, request);
  std::int64_t counter = request.first_counter;
  for (ClaimedJob& job : reply.jobs) {
    job.token = {request.incarnation, counter++};
    if (tenant) {
      job.tenant = tenant->name;
      job.generation = tenant->generation;
    }
    job.kind = names_.name(NameTable::kind, job.lane.kind.value);
    insert_claim(job, request.process, now);
  }
  return reply;
}

// The jobs that no longer fit go out of the reply.
void SqliteWriter::read_envelopes(ClaimReply& reply, const ClaimRequest& request) {
  std::size_t bytes = 0;
  for (std::size_t index = 0; index < reply.jobs.size(); ++index) {
    ClaimedJob& job = reply.jobs[index];
    auto row = connection_.statement(kClaimedEnvelope);
    if (row.bind(job.seq.value).step()) job.envelope = as_text(row.blob(0));
    bytes += job.envelope.size();
    if (bytes <= request.bytes_max || (index == 0 && request.first_of_any_size)) continue;
    reply.jobs.resize(index);
    reply.stopped_by_bytes = true;
    return;
  }
}

std::vector<ClaimedJob> SqliteWriter::front_of_lanes(const ClaimRequest& request) {
  std::vector<ClaimedJob> front;
  if (request.count == 0) return front;
  for (const LaneCursor& cursor : request.kinds) read_lane(request, cursor, front);
  return front;
}

void SqliteWriter::read_lane(const ClaimRequest& request, const LaneCursor& cursor,
                             std::vector<ClaimedJob>& front) {
  const Lane lane{request.queue, request.priority, request.tenant, cursor.kind};
  const LanePlace from = cursor.after.value_or(kFront);
  const LanePlace end = front.size() < request.count ? kEnd : front.back().place;
  const auto middle = static_cast<std::ptrdiff_t>(front.size());

  auto row = connection_.statement(kLaneFront);
  row.bind(lane.queue.value, lane.priority.value, lane.tenant.value, lane.kind.value, to_us(from.due),
           from.seq.value, to_us(end.due), end.seq.value, request.count);
  while (row.step()) front.push_back(job_of(row, lane));
  std::inplace_merge(front.begin(), front.begin() + middle, front.end(), comes_first);
  if (front.size() > request.count) front.resize(request.count);
}

void SqliteWriter::insert_claim(const ClaimedJob& job, ProcessNumber process, WallTime now) {
  connection_.statement(kInsertClaim)
      .bind(job.seq.value, job.token.incarnation.value, job.token.counter, process.value, to_us(now))
      .run();
}

std::vector<const Query*> claim_queries() { return {&kLaneFront, &kClaimedEnvelope, &kInsertClaim}; }

}  // namespace tenure::queue
