#pragma once

#include <tenure/queue/result_limit.hpp>
#include <tenure/queue/types.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

// Results of jobs: what the handler of a kind that keeps them has returned, as JSON like arguments. They are there from the commit on by which
// the job has succeeded, and go by themselves: their time is over long before their job's, as a rule.
namespace tenure::queue {

inline constexpr std::chrono::milliseconds kKeepResultMin{std::chrono::minutes{1}};
inline constexpr std::chrono::milliseconds kKeepResultMax{std::chrono::hours{24 * 365}};

// As a run hands it on.
struct JobResult {
  std::string text;                       // JSON, at most kJobResultMax bytes
  std::chrono::milliseconds keep_for{0};  // from the end of the job on; kKeepResultMin to kKeepResultMax
  friend bool operator==(const JobResult&, const JobResult&) = default;
};
// Whether size and time are within their limits; the text is looked at by whoever reads it.
[[nodiscard]] bool is_valid(const JobResult& result);

struct StoredResult {
  std::string text;
  WallTime keep_until{};
  friend bool operator==(const StoredResult&, const StoredResult&) = default;
};

// A part of JobReader.
class ResultReader {
 public:
  virtual ~ResultReader() = default;
  // Nothing: the job has none, or not any more, or its tenant is deleted.
  [[nodiscard]] virtual std::optional<StoredResult> result(JobSeq seq, WallTime now) = 0;
};

// A part of StoreWriter.
class ResultWriter {
 public:
  virtual ~ResultWriter() = default;
  // Of a job that has succeeded in this transaction. One that is there stays.
  virtual void keep_result(JobSeq seq, const JobResult& result, WallTime now) = 0;
  // Removes at most `limit` whose time is over; how many. The others go with their jobs.
  virtual std::int64_t forget_results(WallTime now, std::size_t limit) = 0;
};

}  // namespace tenure::queue
