#pragma once

#include "ended_lookup.hpp"
#include "ordered_seqs.hpp"
#include "row_filter.hpp"
#include "tenant_ranges.hpp"

#include <tenure/queue/store.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

// Jobs that a filter may match, found in the tables that hold their states. Internal.
namespace tenure::queue {

struct CandidateSource {
  std::unique_ptr<OrderedSeqs> seqs;
  bool exact = false;        // all of them match
  std::int64_t besides = 0;  // more that match, where no list but a count is made
};

class Candidates {
 public:
  enum class Purpose : std::uint8_t {
    list,   // each source in the order of the list
    count,  // in any
  };
  // `is_open` says of a lane whether its ready jobs are shown as ready, not as held. What is passed by reference must outlive this and its sources.
  Candidates(sqlite::Connection& connection, EndedLookup& ended, const RowFilter& filter,
             const ListOptions& options, std::function<bool(const Lane&)> is_open,
             Purpose purpose = Purpose::list)
      : connection_(connection),
        ended_(ended),
        filter_(filter),
        options_(options),
        is_open_(std::move(is_open)),
        purpose_(purpose),
        after_(options.after) {}

  // Disjoint, and together all that may match; but no succeeded jobs up to `floor`. fn is called for one after the other and
  // must be done with it when it returns; it returns whether it wants another.
  void for_each_source(std::optional<JobSeq> floor, FunctionRef<bool(CandidateSource)> fn);
  // The page is full without any job behind this one: what is walked from now on ends there.
  void page_ends_at(JobSeq seq) { page_end_ = seq; }

 private:
  [[nodiscard]] bool wants_unended() const;
  // The first jobs of the list, wherever they stand. From then on only what lies behind them is told.
  [[nodiscard]] bool for_first_rows(std::optional<JobSeq> floor, FunctionRef<bool(CandidateSource)> fn);
  [[nodiscard]] bool stands_as_wanted(const sqlite::Statement& row, JobSeq mark);
  // What for_each_source says, of ready and held jobs. False: no other source is wanted.
  [[nodiscard]] bool for_each_waiting(FunctionRef<bool(CandidateSource)> fn);
  // The one that is wanted, where it is one.
  [[nodiscard]] std::optional<std::int64_t> only_tenant() const;
  // Where first rows are looked at, and what lies behind them where that is not all.
  [[nodiscard]] std::pair<SeqRange, std::optional<JobSeq>> first_range();
  // Jobs that have succeeded, above `least`.
  [[nodiscard]] CandidateSource succeeded_above(JobSeq least);
  [[nodiscard]] CandidateSource in_lanes_unsorted();
  [[nodiscard]] CandidateSource counted_in_lanes();
  [[nodiscard]] bool passes(const sqlite::Statement& row) const;
  // Whether it is ready or held and wanted as such; `mark`: up to there no job is fresh.
  [[nodiscard]] bool waits(const sqlite::Statement& row, JobSeq mark);
  // What the list may still show, above `least`.
  [[nodiscard]] SeqRange page_from(JobSeq least) const;
  // Of the rows above `least` those that it takes.
  [[nodiscard]] CandidateSource walk(JobSeq least, std::function<bool(const sqlite::Statement&)> takes);
  // What walks `whole`, or no more of it than where the wanted tenants may have jobs.
  [[nodiscard]] std::function<std::optional<sqlite::Statement>()> parts_of(SeqRange whole);
  [[nodiscard]] bool has_succeeded(const sqlite::Statement& row);
  [[nodiscard]] bool is_fresh(const sqlite::Statement& row);
  [[nodiscard]] CandidateSource collected(std::vector<JobSeq> seqs) const;
  [[nodiscard]] std::vector<JobSeq> rows_of(sqlite::Statement&& rows) const;
  [[nodiscard]] std::vector<JobSeq> rows_on_page(const sqlite::Query& table) const;
  [[nodiscard]] std::vector<JobSeq> in_lanes();
  void add_in_lanes(sqlite::Statement&& rows, std::vector<JobSeq>& seqs);
  void add_lanes_of_tenants(std::span<const std::int64_t> tenants, std::vector<JobSeq>& seqs);
  [[nodiscard]] bool wants_lane_of(const sqlite::Statement& row);
  [[nodiscard]] bool is_on_page(JobSeq seq) const;

  sqlite::Connection& connection_;
  EndedLookup& ended_;
  const RowFilter& filter_;
  const ListOptions& options_;
  std::function<bool(const Lane&)> is_open_;
  Purpose purpose_;
  std::optional<JobSeq> after_;  // of the list, or what was looked at of it
  std::optional<JobSeq> page_end_;
  std::optional<Lane> last_lane_;
  bool wants_last_lane_ = false;
};

}  // namespace tenure::queue
