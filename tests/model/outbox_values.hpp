#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

// What the two files of the outbox's model hold, and which of it is on disk.
namespace tenure::testing {

constexpr std::size_t kModelJobs = 3;  // of the two enqueuers, and of the job's step
constexpr std::uint8_t kJobOfStep = 2;
constexpr std::size_t kModelEpochs = 3;
constexpr std::size_t kMarkOfAnyEpoch = kModelEpochs;  // the place of the mark without one
constexpr std::size_t kModelRows = 5;

enum class JobPlace : std::uint8_t { absent, present, removed, twice };

// The job whose step enqueues.
enum class Parent : std::uint8_t { none, ready, claimed, succeeded, succeeded_without_step, left };

struct ControlFile {
  std::uint8_t watermark = 0;
  std::uint8_t last_mark = 0;                          // the greatest number given
  std::array<std::uint8_t, kModelEpochs + 1> marks{};  // by epoch: the mark's number; 0: there is none
  std::array<JobPlace, kModelJobs> jobs{};
  Parent parent = Parent::none;
  friend bool operator==(const ControlFile&, const ControlFile&) = default;
  [[nodiscard]] bool has_marks() const;
};

struct TenantFile {
  std::array<std::uint8_t, kModelRows>
      jobs{};  // of the rows by their number, also of those that are gone: the transactions that stand
  std::uint8_t newest = 0;
  std::uint8_t cleared = 0;  // rows up to it are gone
  std::uint8_t epoch = 0;
  std::uint8_t has_receipt = 0;
  friend bool operator==(const TenantFile&, const TenantFile&) = default;
  [[nodiscard]] int count_of(std::uint8_t job) const;
};

// Rows that somebody has read: those behind `from`, up to `to`. Rows are only added while he lives.
struct ReadRows {
  std::uint8_t from = 0;
  std::uint8_t to = 0;
  [[nodiscard]] bool is_empty() const { return from == to; }
  friend bool operator==(const ReadRows&, const ReadRows&) = default;
};

// What becomes of the control database where these rows come, by queue::take_over.
[[nodiscard]] ControlFile taken_over(ControlFile control, const TenantFile& file, ReadRows rows,
                                     bool has_watermark);

template <class Value>
[[nodiscard]] std::size_t hash_of(const Value& value) {
  static_assert(std::has_unique_object_representations_v<Value>);
  const auto bytes = std::bit_cast<std::array<char, sizeof(Value)>>(value);
  return std::hash<std::string_view>{}({bytes.data(), bytes.size()});
}

using LogId = std::uint32_t;

// Every history of one file: a value that is on disk, and those that commits behind it have made visible. Each has a number, equal ones
// the same.
template <class Value>
class Logs {
 public:
  [[nodiscard]] LogId synced(const Value& value) { return intern({kNone, value}); }
  [[nodiscard]] LogId committed(LogId log, const Value& value) {
    return value == visible(log) ? log : intern({log, value});
  }
  [[nodiscard]] const Value& visible(LogId log) const { return logs_[log].value; }
  [[nodiscard]] LogId synced(LogId log) { return synced(Value{visible(log)}); }
  // What a power cut may leave of it.
  [[nodiscard]] std::vector<LogId> cuts(LogId log) {
    std::vector<LogId> cuts;
    for (LogId each = log; each != kNone; each = logs_[each].before) cuts.push_back(each);
    for (LogId& each : cuts) each = synced(each);
    return cuts;
  }

 private:
  static constexpr LogId kNone = ~LogId{0};
  struct Log {
    LogId before;
    Value value;
    friend bool operator==(const Log&, const Log&) = default;
  };
  struct Hash {
    std::size_t operator()(const Log& log) const { return hash_of(log.value) * 31 + log.before; }
  };
  LogId intern(const Log& log) {
    const auto [place, is_new] = numbers_.try_emplace(log, static_cast<LogId>(logs_.size()));
    if (is_new) logs_.push_back(log);
    return place->second;
  }
  std::vector<Log> logs_;
  std::unordered_map<Log, LogId, Hash> numbers_;
};

}  // namespace tenure::testing
