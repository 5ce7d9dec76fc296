#pragma once

namespace tenure::daemon {
struct RoundWork;
}

namespace tenure::testing::detail {

// Who is told of what a daemon of a world makes durable for the runs that it performs, and may end the process there. Threads: the daemon's.
class RunWatch {
 public:
  virtual ~RunWatch() = default;
  // Of the daemon before: with a claim, maybe.
  [[nodiscard]] virtual bool has_former_died() const = 0;
  virtual void run_begins() = 0;
  // Its handler has returned or thrown, and the queue does not know.
  virtual void run_ended() = 0;
  virtual void before_round(const daemon::RoundWork& work) = 0;
  virtual void after_round(const daemon::RoundWork& work) = 0;
};

}  // namespace tenure::testing::detail
