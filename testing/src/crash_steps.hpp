#pragma once

#include "crash_records.hpp"
#include "forwarding_store.hpp"
#include "run_watch.hpp"

#include <tenure/tenancy/commit_watch.hpp>

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

// The durable steps of a run, in the process that performs it: counted, noted, and died at.
namespace tenure::testing::detail {

enum class StepKind : std::uint8_t {
  once = 1,        // a step of `once`
  write = 2,       // of user code, in a tenant's database
  enqueue = 3,     // of a client, in the queue
  own = 4,         // bookkeeping of a client's transaction, in either
  checkpoint = 5,  // its cursor is stored
  finish = 6,      // the queue knows how the run has ended
  clear = 7,       // the rows of the outbox that are jobs by now are deleted
};

enum class Side : std::uint8_t { before = 1, after = 2 };

// The exit code of a process that has died as it should.
inline constexpr int kDied = 86;

class Steps final : public RunWatch, public tenure::detail::CommitWatch {
 public:
  struct Plan {
    // Of the steps that are begun, from 1; nothing: it lives on.
    struct Death {
      int step = 1;
      Side side = Side::before;
    };
    std::optional<Death> death = {};
    bool has_former_died = false;
  };
  // Notes each step that is done as {"step", number, kind, name}, and a death as {"died", name} before. It outlives them.
  Steps(Plan plan, RecordWriter& notes) : plan_(plan), notes_(notes) {}

  [[nodiscard]] bool has_former_died() const override { return plan_.has_former_died; }
  void run_begins() override { phase_ = Phase::handler; }
  void run_ended() override { phase_ = Phase::ended; }
  void before_round(const daemon::RoundWork& work) override;
  void after_round(const daemon::RoundWork& work) override;
  void before(const tenure::detail::Commit& commit) override;
  void after(const tenure::detail::Commit& commit) override;
  void before_client_write();
  void after_client_write();
  // What is committed from now on belongs to no run.
  void over() { phase_ = Phase::none; }

 private:
  enum class Phase : std::uint8_t { none, handler, ended };

  [[nodiscard]] std::optional<StepKind> kind_of(const tenure::detail::Commit& commit) const;
  [[nodiscard]] std::optional<StepKind> kind_of(const daemon::RoundWork& work) const;
  void begin(StepKind kind, std::string_view step);
  void end();
  [[noreturn]] void die(const std::string& name);

  const Plan plan_;
  RecordWriter& notes_;
  std::mutex mutex_;  // handlers may have threads
  int count_ = 0;
  std::map<StepKind, int> counts_;
  std::atomic<Phase> phase_ = Phase::none;
};

// "the commit of once \"mark sent\"", "plain write number 2"
[[nodiscard]] std::string name_of_step(StepKind kind, std::string_view step, int number);

// The queue as clients have it in such a process.
class SteppedStore final : public ForwardingStore {
 public:
  // Both outlive it.
  SteppedStore(queue::Store& store, Steps& steps) : ForwardingStore(store), steps_(steps) {}

  void write(queue::Durability durability, FunctionRef<void(queue::StoreWriter&)> work) override {
    steps_.before_client_write();
    ForwardingStore::write(durability, work);
    steps_.after_client_write();
  }

 private:
  Steps& steps_;
};

}  // namespace tenure::testing::detail
