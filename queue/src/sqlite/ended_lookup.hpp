#pragma once

#include "seq_set.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/store.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <vector>

// Which jobs have succeeded without their rows saying so, in one snapshot. `ended` has no index by job, which would cost each
// finish a page; so a question is a scan, and this class asks as few as it can. Internal.
namespace tenure::queue {

struct EndedTimes {
  WallTime started{};
  WallTime finished{};
};

class EndedLookup {
 public:
  explicit EndedLookup(sqlite::Connection& connection) : connection_(connection) {}

  // Reads all sequences at the first call.
  [[nodiscard]] bool contains(JobSeq seq);
  // The greatest of all; 0 where there are none. As contains().
  [[nodiscard]] JobSeq newest();
  // Those of `asked` that have ended. The first call reads from the newest end until it has found all; a second one reads
  // everything and keeps it.
  [[nodiscard]] std::map<JobSeq, EndedTimes> find(std::span<const JobSeq> asked);

 private:
  struct Row {
    JobSeq seq;
    EndedTimes times;
  };
  [[nodiscard]] std::map<JobSeq, EndedTimes> scan_for(std::span<const JobSeq> seqs);
  void load_rows();
  void load_seqs();

  sqlite::Connection& connection_;
  std::optional<SeqSet> seqs_;
  JobSeq newest_{0};
  bool has_scanned_ = false;
  std::optional<std::vector<Row>> rows_;  // by sequence
};

// Tells of each job where it stands that comes as ready. Ready, too, where it runs.
void tell_states(sqlite::Connection& connection, std::span<JobArrival> jobs);

[[nodiscard]] std::vector<const sqlite::Query*> ended_lookup_queries();

}  // namespace tenure::queue
