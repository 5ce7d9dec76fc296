#include "../job_key_rules.hpp"
#include "../job_rules.hpp"
#include "sqlite_writer.hpp"
#include "stored_values.hpp"
#include "tenant_rows.hpp"

#include <tenure/base/text.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace tenure::queue {
namespace {

using sqlite::Query;

// The front of one lane behind a cursor. The end bound is the last place that is still wanted when other lanes have filled the
// batch. ?1 queue  ?2 priority  ?3 tenant  ?4 kind  ?5, ?6 cursor (due_us, seq)  ?7, ?8 end  ?9 limit. Index: primary key.
constexpr Query kLaneFront{"lane_front", R"sql(
  select due_us, seq from ready
  where queue = ?1 and priority = ?2 and tenant = ?3 and kind = ?4
    and (due_us, seq) > (?5, ?6) and (due_us, seq) < (?7, ?8)
  order by due_us, seq limit ?9)sql"};

// The whole job in one visit, its envelope too. ?1 seq. Index: primary key.
constexpr Query kClaimedJob{"claimed_job", R"sql(
  select queue, priority, tenant, kind, due_us, state, id, attempts_max, failures, crashes, releases, envelope,
    created_us
  from job where seq = ?1)sql"};

// The whole of a claim: the job's row is not touched. No change where it has one, which only a damaged file can show.
// ?1 seq  ?2 incarnation  ?3 counter  ?4 process  ?5 now_us  ?6 key, null for none.
constexpr Query kInsertClaim{"insert_claim", R"sql(
  insert into claim(seq, incarnation, counter, process, started_us, key) values (?1, ?2, ?3, ?4, ?5, ?6)
  on conflict (seq) do nothing)sql"};

constexpr LanePlace kFront{from_us(std::numeric_limits<std::int64_t>::min()), JobSeq{0}};
constexpr LanePlace kEnd{from_us(std::numeric_limits<std::int64_t>::max()),
                         JobSeq{std::numeric_limits<std::int64_t>::max()}};

}  // namespace

FreshJobs& SqliteWriter::fresh() {
  if (!std::exchange(fresh_has_begun_, true)) fresh_.begin(connection_);
  return fresh_;
}

ClaimReply SqliteWriter::claim(const ClaimRequest& request, WallTime now) {
  ClaimReply reply;
  const auto tenant = tenant_to_claim(request.tenant, reply, request.reads_only);
  if (reply.gate) return reply;
  static_cast<void>(fresh());  // before any lane is read: it may absorb
  // Once, but where damaged rows had to be left out, or jobs wait for their keys.
  while (reply.jobs.size() < request.count && !reply.stopped_by_bytes && !reply.stopped_by_keys) {
    const std::size_t wanted = request.count - reply.jobs.size();
    const auto front = front_of_lanes(request, wanted);
    claim_front(request, front, now, reply);
    if (front.size() < wanted) break;
  }
  name_claimed(tenant, reply.jobs);
  return reply;
}

std::optional<TenantRecord> SqliteWriter::tenant_to_claim(TenantNumber number, ClaimReply& reply,
                                                          bool reads_only) {
  if (number == kUntenanted) return std::nullopt;
  auto tenant = tenant_numbered(connection_, number);
  const TenantState state = tenant ? tenant->state : TenantState::deleted;
  if (tenant_gate(state, reads_only) != JobReason::none) reply.gate = state;
  return tenant;
}

void SqliteWriter::name_claimed(const std::optional<TenantRecord>& tenant, std::vector<ClaimedJob>& jobs) {
  for (ClaimedJob& job : jobs) {
    job.kind = names_.name(NameTable::kind, job.lane.kind.value);
    job.queue = names_.name(NameTable::queue, job.lane.queue.value);
    if (!tenant) continue;
    job.tenant = tenant->name;
    job.generation = tenant->generation;
  }
}

// What no longer fits in the bytes stays where it is.
void SqliteWriter::claim_front(const ClaimRequest& request, const std::vector<Candidate>& front, WallTime now,
                               ClaimReply& reply) {
  std::size_t bytes = 0;
  for (const ClaimedJob& job : reply.jobs) bytes += job.envelope.size() + job.cursor.size();
  std::size_t taken = 0;
  for (; taken < front.size(); ++taken) {
    auto job = read_candidate(front[taken]);
    if (!job) continue;
    const auto key = key_rows_.concurrency_of(job->seq);
    if (key && is_taken(*key, job->lane.queue, job->lane.kind)) {
      if (lined_up_ == kLinedUpMax) {
        reply.stopped_by_keys = true;
        break;
      }
      ++lined_up_;
      stand_in_line(key->key, job->lane, job->place);
      continue;
    }
    bytes += job->envelope.size() + job->cursor.size();
    const bool takes_any_size = reply.jobs.empty() && request.first_of_any_size;
    if (bytes > request.bytes_max && !takes_any_size) {
      reply.stopped_by_bytes = true;
      break;
    }
    job->token = {request.incarnation, request.first_counter + static_cast<std::int64_t>(reply.jobs.size())};
    if (insert_claim(*job, key ? key->key : std::string{}, request.process, now))
      reply.jobs.push_back(std::move(*job));
  }
  leave_lanes(std::span{front}.first(taken));
}

std::vector<SqliteWriter::Candidate> SqliteWriter::front_of_lanes(const ClaimRequest& request,
                                                                  std::size_t count) {
  std::vector<Candidate> front;
  for (const LaneCursor& cursor : request.kinds) read_lane(request, cursor, count, front);
  return front;
}

void SqliteWriter::read_lane(const ClaimRequest& request, const LaneCursor& cursor, std::size_t count,
                             std::vector<Candidate>& front) {
  const auto comes_first = [](const Candidate& a, const Candidate& b) { return a.place < b.place; };
  const Lane lane{request.queue, request.priority, request.tenant, cursor.kind};
  const LanePlace from = cursor.after.value_or(kFront);
  const auto merge_from = [&](std::size_t middle) {
    std::inplace_merge(front.begin(), front.begin() + static_cast<std::ptrdiff_t>(middle), front.end(),
                       comes_first);
    if (front.size() > count) front.resize(count);
  };
  const auto end = [&] { return front.size() < count ? kEnd : front.back().place; };

  std::size_t middle = front.size();
  {
    auto row = connection_.statement(kLaneFront);
    row.bind(lane.queue.value, lane.priority.value, lane.tenant.value, lane.kind.value, to_us(from.due),
             from.seq.value, to_us(end().due), end().seq.value, count);
    while (row.step()) front.push_back({lane, {from_us(row.integer(0)), JobSeq{row.integer(1)}}, false});
  }
  merge_from(middle);
  middle = front.size();
  std::vector<LanePlace> places;
  fresh().front(lane, from, end(), count, places);
  for (const LanePlace& place : places) front.push_back({lane, place, true});
  merge_from(middle);
}

// Nothing where the row is not that of a job which waits there, or holds what no job can have.
std::optional<ClaimedJob> SqliteWriter::read_candidate(const Candidate& candidate) {
  auto row = connection_.statement(kClaimedJob);
  const bool fits = row.bind(candidate.place.seq.value).step() && lane_in(row, 0) == candidate.lane &&
                    from_us(row.integer(4)) == candidate.place.due && !is_final_row(row.integer(5)) &&
                    (!candidate.is_fresh || is_as_enqueued(row.integer(5)));
  if (!fits) {
    // A fresh one may have been changed by somebody else; a row of ready never without going itself.
    if (!candidate.is_fresh)
      log_left_out(candidate.place.seq, "is not what its lane says; it was taken out of the lane");
    return std::nullopt;
  }
  const auto id = Uuid::from_bytes(row.blob(6));
  const auto counts = counts_in(row, 7);
  if (!id || !counts) {
    log_left_out(candidate.place.seq, "has an id or a count that no job has; it was taken out of the lane");
    return std::nullopt;
  }
  ClaimedJob job;
  job.seq = candidate.place.seq;
  job.id = JobId{*id};
  job.lane = candidate.lane;
  job.place = candidate.place;
  job.attempts_max = counts->attempts_max;
  job.failures = counts->failures;
  job.crashes = counts->crashes;
  job.releases = counts->releases;
  job.envelope = as_text(row.blob(11));
  job.created = from_us(row.integer(12));
  job.cursor = told_.cursor(job.seq);
  job.start_before = start_times_.of(job.seq);
  if (job.failures > 0) job.history = failure_counts_.of(job.seq);
  return job;
}

bool SqliteWriter::insert_claim(const ClaimedJob& job, const std::string& key, ProcessNumber process,
                                WallTime now) {
  connection_.statement(kInsertClaim)
      .bind(job.seq.value, job.token.incarnation.value, job.token.counter, process.value, to_us(now),
            key.empty() ? std::nullopt : std::optional{key})
      .run();
  if (connection_.changes() == 0) return false;
  key_rows_.claimed(key);
  key_rows_.free_at_start(job.seq);
  return true;
}

// Claimed jobs are the first of their lanes, so each lane's rows go by one statement.
void SqliteWriter::leave_lanes(std::span<const Candidate> taken) {
  std::map<Lane, std::pair<LanePlace, LanePlace>> rows;
  for (const Candidate& candidate : taken) {
    if (candidate.is_fresh) fresh_.remove(candidate.lane, candidate.place);
    else
      rows.try_emplace(candidate.lane, candidate.place, candidate.place).first->second.second =
          candidate.place;
  }
  for (const auto& [lane, places] : rows) delete_ready(connection_, lane, places.first, places.second);
}

std::vector<const Query*> claim_queries() { return {&kLaneFront, &kClaimedJob, &kInsertClaim}; }

}  // namespace tenure::queue
