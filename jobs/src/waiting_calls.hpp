#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/strong.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace tenure::detail {

using CallNumber = Strong<struct CallNumberTag, std::int64_t>;

// Which calls of an event loop wait, which are under way, and what may be taken back: a machine without I/O and without threads. Each call
// that is added leaves it once: by withdraw() or close(), and then nothing of it is stored, or by end().
class WaitingCalls {
 public:
  // Of a call.
  struct Weight {
    std::size_t jobs = 1;
    std::size_t bytes = 0;
  };
  struct Limits {
    std::size_t jobs_max = 0;
    std::size_t bytes_max = 0;
  };
  explicit WaitingCalls(Limits limits) : limits_(limits) {}

  // LimitReached: with it more would wait than may; what is under way counts too. Interrupted, after close().
  [[nodiscard]] Result<void> add(CallNumber number, Weight weight);
  // The oldest ones that wait, together at most `jobs_max` jobs, but one in any case; they are under way from now on.
  [[nodiscard]] std::vector<CallNumber> take(std::size_t jobs_max);
  // Whether it waited; then it is gone. False: it is under way, and what becomes of it is not known yet; or it has left.
  [[nodiscard]] bool withdraw(CallNumber number);
  // One that was under way has its outcome.
  void end(CallNumber number);
  // Nothing comes any more. Those that waited, in their order, are gone.
  [[nodiscard]] std::vector<CallNumber> close();

  [[nodiscard]] bool has_waiting() const { return !waiting_.empty(); }
  [[nodiscard]] bool is_closed() const { return is_closed_; }

 private:
  void subtract(Weight weight);

  const Limits limits_;
  std::map<CallNumber, Weight> waiting_;  // in their order, since numbers grow
  std::map<CallNumber, Weight> under_way_;
  Weight sum_{.jobs = 0, .bytes = 0};  // of both
  bool is_closed_ = false;
};

}  // namespace tenure::detail
