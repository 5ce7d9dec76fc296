#include "ended_lookup.hpp"

#include "places.hpp"

#include <algorithm>

namespace tenure::queue {
namespace {

using sqlite::Query;

// Index: none, the whole table.
constexpr Query kEndedSeqs{"ended_seqs", "select seq from ended"};
// Index: primary key, from its end.
constexpr Query kEndedRows{"ended_rows", R"sql(
  select seq, started_us, finished_us from ended order by number desc)sql"};

EndedTimes times_in(const sqlite::Statement& row) {
  return {from_us(row.integer(1)), from_us(row.integer(2))};
}

}  // namespace

bool EndedLookup::contains(JobSeq seq) {
  load_seqs();
  return seqs_->contains(seq);
}

JobSeq EndedLookup::newest() {
  load_seqs();
  return newest_;
}

void EndedLookup::load_seqs() {
  if (seqs_) return;
  seqs_.emplace();
  auto row = connection_.statement(kEndedSeqs);
  while (row.step()) {
    const JobSeq seq{row.integer(0)};
    seqs_->insert(seq);
    newest_ = std::max(newest_, seq);
  }
}

std::map<JobSeq, EndedTimes> EndedLookup::find(std::span<const JobSeq> asked) {
  std::vector<JobSeq> seqs(asked.begin(), asked.end());
  if (seqs_) std::erase_if(seqs, [&](JobSeq seq) { return !seqs_->contains(seq); });
  if (seqs.empty()) return {};
  if (!has_scanned_) return scan_for(seqs);
  if (!rows_) load_rows();
  std::map<JobSeq, EndedTimes> found;
  for (const JobSeq seq : seqs) {
    const auto row = std::ranges::lower_bound(*rows_, seq, {}, &Row::seq);
    if (row != rows_->end() && row->seq == seq) found.emplace(seq, row->times);
  }
  return found;
}

std::map<JobSeq, EndedTimes> EndedLookup::scan_for(std::span<const JobSeq> seqs) {
  has_scanned_ = true;
  SeqSet wanted;
  for (const JobSeq seq : seqs) wanted.insert(seq);
  std::map<JobSeq, EndedTimes> found;
  auto row = connection_.statement(kEndedRows);
  while (found.size() < seqs.size() && row.step()) {
    const JobSeq seq{row.integer(0)};
    if (wanted.contains(seq)) found.emplace(seq, times_in(row));
  }
  return found;
}

void EndedLookup::load_rows() {
  rows_.emplace();
  auto row = connection_.statement(kEndedRows);
  while (row.step()) rows_->push_back({JobSeq{row.integer(0)}, times_in(row)});
  std::ranges::sort(*rows_, {}, &Row::seq);
}

void tell_states(sqlite::Connection& connection, std::span<JobArrival> jobs) {
  std::vector<JobSeq> nowhere;  // fresh, or ended
  for (JobArrival& job : jobs) {
    if (job.state != JobState::ready) continue;
    const LanePlace place{job.due, job.seq};
    if (is_claimed(connection, job.seq) || is_in_ready(connection, job.lane, place)) continue;
    if (is_scheduled(connection, place)) job.state = JobState::scheduled;
    else if (is_blocked(connection, job.seq)) job.state = JobState::blocked;
    else nowhere.push_back(job.seq);
  }
  const auto ended = EndedLookup(connection).find(nowhere);
  for (JobArrival& job : jobs)
    if (ended.contains(job.seq)) job.state = JobState::succeeded;
}

std::vector<const Query*> ended_lookup_queries() { return {&kEndedSeqs, &kEndedRows}; }

}  // namespace tenure::queue
