#pragma once

#include "lanes.hpp"
#include "processes.hpp"
#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/store.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

// Jobs with which a worker process ended while nobody could say which of them ended it. Each is performed alone, in a process that is
// started for it beside those of its pool: so the next crash is certain, the innocent end, and nobody else waits for either. That holds
// for each further run until one has succeeded. The store holds them as suspects, also while they wait for a retry and for the next
// dispatcher.
namespace tenure::daemon {

// At a time, of all pools; the others wait for one to end, in order. Of those that may have been ended for want of memory one of each
// pool: two could end each other, and then neither was alone.
inline constexpr std::size_t kLoneProcessesMax = 64;
// So many that may have been ended for want of memory are remembered between their runs: of more than these those that were enqueued
// first are forgotten, and performed beside others.
inline constexpr std::size_t kLackedMemoryMax = 10'000;
// Lines a second, of each pool, about processes that end before they have got their job; the next one says how many were left out.
inline constexpr int kDelayLinesMax = 4;

class LoneJobs {
 public:
  // Both must outlive it.
  LoneJobs(Processes& processes, Lanes& lanes)
      : processes_(processes), lanes_(lanes), delay_lines_(processes.pools()) {}

  // The store has it as a suspect now. One that waits already, since it went another way meanwhile, goes on waiting.
  void suspected(queue::JobSeq seq, const queue::Lane& lane, const Alone& alone, Instant now);
  // The same of one that this dispatcher, or one before it, has found there: it waits for a pool that performs it.
  void found(const queue::Suspect& job);
  // It has succeeded, or ended for good otherwise.
  void ended(queue::JobSeq seq) { lacked_memory_.erase(seq); }
  // A process has said hello, or is gone: each waits for a pool that performs it now, and for its own as long as that does.
  void find_pools();
  // Starts processes that are wanted, and drains those whose job is gone.
  void tick(Instant now, Actions& actions);
  // When tick() has something to do that no event announces.
  [[nodiscard]] std::optional<Instant> next_at() const;
  // A process is gone that was started for one of them.
  void process_gone(Process& dead, const WorkerGone& gone, Instant now, Actions& actions);

  // --- Gates. No process is started for a gated tenant's; those of one that is deleted are none any more.
  [[nodiscard]] std::set<TenantNumber> gated_tenants() const;
  void set_tenant_state(TenantNumber tenant, TenantState state);

  // --- The claims of those whose process is ready and that no limit keeps: each is planned, and under way until begun(), gated(), gone() or not_begun().
  struct Claim {
    queue::JobSeq seq;
    ProcessNumber process;
  };
  [[nodiscard]] std::vector<Claim> take();
  // It performs, or has ended otherwise: it is none of these any more. How it was to be performed.
  Alone gone(queue::JobSeq seq);
  void gated(queue::JobSeq seq, TenantState state);
  void not_begun(queue::JobSeq seq);

 private:
  struct Waiting {
    queue::JobSeq seq;
    TenantNumber tenant;
    queue::Lane lane;
    Alone alone;
    std::optional<ProcessNumber> process;  // that was started for it
    Instant not_before;
    bool has_pool = true;
    bool is_being_claimed = false;
    bool is_gated = false;
  };
  class DelayLines {
   public:
    // Nothing where this one is left out; else how many were since the last one that passed.
    [[nodiscard]] std::optional<std::int64_t> pass(Instant now);

   private:
    std::optional<Instant> second_;
    int passed_ = 0;  // in this second
    std::int64_t left_out_ = 0;

    TENURE_REMEMBERS(second, passed, left_out)
  };
  void add(Waiting job);
  void find_pool(Waiting& job) const;
  void lacked_memory(queue::JobSeq seq);
  // Whether the process that was started for it is.
  [[nodiscard]] bool is_of_use(const Waiting& job) const;
  // By pool, whether one is there that lets no other of its kind beside it.
  [[nodiscard]] std::vector<bool> taken_pools() const;
  // Those with a process that have not been claimed.
  [[nodiscard]] Lanes::Expected expected() const;
  [[nodiscard]] bool may_start(const Waiting& job, const std::vector<bool>& taken,
                               const Lanes::Expected& expected) const;
  void drain_unwanted(Actions& actions);
  [[nodiscard]] std::vector<Waiting>::iterator find(queue::JobSeq seq);
  [[nodiscard]] std::vector<Waiting>::iterator known(queue::JobSeq seq);
  [[nodiscard]] std::size_t processes_alive() const;

  Processes& processes_;
  Lanes& lanes_;
  std::vector<DelayLines> delay_lines_;    // of each pool
  std::vector<Waiting> waiting_;           // those that waited longest first; one of each job
  std::set<queue::JobSeq> lacked_memory_;  // also of those that wait for a retry

  TENURE_REMEMBERS_BESIDE((processes, lanes), delay_lines, waiting, lacked_memory)
};

}  // namespace tenure::daemon
