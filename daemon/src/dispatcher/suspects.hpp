#pragma once

#include "kept_room.hpp"
#include "lanes.hpp"
#include "lone_jobs.hpp"
#include "processes.hpp"
#include "remembered.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/rounds/suspect_news.hpp>
#include <tenure/queue/store.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <vector>

// The jobs that were claimed when the daemon died, of which one may have killed it. They start one at a time and before all others.
// Each is on trial until it has ended, or has performed for long enough; meanwhile nothing else starts. Where nothing else performed
// either it is alone, and then the death of the daemon is its own. Suspects of a worker process are among them only where no job can have
// a process of its own; else they are LoneJobs.
namespace tenure::daemon {

// The trials of those with whom the daemon has died once; together no more than kFirstTrials, where that leaves each kTrialMin.
// After each further death they are kTrialGrowth times as long: what kills late is found late.
inline constexpr std::chrono::milliseconds kTrial{250};
inline constexpr std::chrono::milliseconds kTrialMin{10};
inline constexpr std::chrono::milliseconds kFirstTrials{1500};
inline constexpr int kTrialGrowth = 8;
inline constexpr std::chrono::milliseconds kTrialMax{120'000};
// Others that perform already are waited for so long; then the trial begins beside them.
inline constexpr std::chrono::milliseconds kQuietMax{2000};
// Who was alone at a death starts so much later: what kills the daemon from outside soon after each start meets nobody.
inline constexpr std::chrono::milliseconds kRetrialWait{500};
inline constexpr std::chrono::milliseconds kGatedWait{
    1000};  // until a gated tenant's suspects are tried again

[[nodiscard]] std::chrono::milliseconds trial_time(int deaths, std::size_t suspects);

class Suspects {
 public:
  // All must outlive it.
  Suspects(const DispatcherSettings& settings, const Lanes& lanes, Processes& processes, LoneJobs& lone_jobs)
      : settings_(settings), lanes_(lanes), processes_(processes), lone_jobs_(lone_jobs) {}

  // --- What the store holds, read page by page. Nothing: all of it has been read.
  [[nodiscard]] const std::optional<queue::JobSeq>& unread_after() const { return unread_after_; }
  void read(std::vector<queue::Suspect> page, Instant now, Actions& actions);
  // Jobs whose wait is over: those that are blocked again are suspects, and read from the front.
  void look_for(const std::vector<queue::JobArrival>& rows);

  // Of those that wait.
  [[nodiscard]] std::vector<TenantNumber> tenants() const;

  // --- Trials.
  struct Trial {
    queue::JobSeq seq;
    ProcessNumber process;
    bool is_alone = false;
    queue::Lane lane;
  };
  // Whether nothing else may start now.
  [[nodiscard]] bool hold_others(Instant now) const;
  // The trial that can begin now: under way until begun(), gated(), gone() or not_begun().
  [[nodiscard]] std::optional<Trial> next(Instant now);
  void begun(queue::JobSeq seq, Instant now);
  void gated(queue::JobSeq seq, TenantState state, Instant now);
  void gone(queue::JobSeq seq);
  void not_begun() { is_beginning_ = false; }
  // Its claim has ended; nothing where it is none that was tried.
  void ended(queue::JobSeq seq);
  // Its claim has ended with its worker process: the store has it as a suspect still, and LoneJobs will.
  void left_to_be_alone(queue::JobSeq seq);
  void tick(Instant now);
  // When the next one becomes possible, or the trial under way is over; nothing where only an event can change anything.
  [[nodiscard]] std::optional<Instant> next_at() const;

  // --- What the store must be told, in the commit of the end or before anything else is claimed.
  using News = SuspectNewsPart::Ask;
  [[nodiscard]] std::optional<News> take_news();
  void not_told(const News& news);

 private:
  struct Waiting {
    queue::Suspect job;
    Instant not_before;
    bool is_gated = false;
  };
  struct OnTrial {
    queue::JobSeq seq;
    Instant until;
  };
  void add(queue::Suspect job, Instant now);
  void put_in_order(Instant now, Actions& actions);
  [[nodiscard]] std::vector<Waiting>::iterator find(queue::JobSeq seq);
  [[nodiscard]] std::vector<Waiting>::iterator waiting(queue::JobSeq seq);
  // `rooms` are the same for all suspects that are looked at together.
  [[nodiscard]] Process* process_for(const queue::Suspect& job, KeptRooms& rooms) const;
  [[nodiscard]] bool takes(std::size_t pool, const queue::Suspect& job, KeptRooms& rooms) const;
  // The first in order that some process could perform now, of those that others wait for.
  [[nodiscard]] const Waiting* first_possible() const;
  // The tenant of this one was gated, and may not be any more: nobody waits for the answer.
  [[nodiscard]] const Waiting* first_to_ask(Instant now) const;
  [[nodiscard]] std::size_t outstanding() const;

  const DispatcherSettings& settings_;
  const Lanes& lanes_;
  Processes& processes_;
  LoneJobs& lone_jobs_;
  std::optional<queue::JobSeq> unread_after_{queue::JobSeq{0}};
  std::vector<Waiting> waiting_;  // in the order of their trials
  std::size_t found_ = 0;
  Instant found_at_;
  bool has_found_more_ = false;  // since they were put in order
  bool is_beginning_ = false;
  std::optional<OnTrial> trial_;
  std::optional<Instant> holding_since_;  // others, for a trial that is possible
  std::set<queue::JobSeq> performing_;    // on trial, or past it
  News news_;

  TENURE_REMEMBERS_BESIDE((settings, lanes, processes, lone_jobs), unread_after, waiting, found, found_at,
                          has_found_more, is_beginning, trial, holding_since, performing, news)
};

}  // namespace tenure::daemon
