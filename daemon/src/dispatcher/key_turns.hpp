#pragma once

#include "lanes.hpp"
#include "remembered.hpp"

#include <tenure/daemon/rounds/passed_turns.hpp>
#include <tenure/queue/store.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <vector>

// Whose turn it is on a concurrency key: jobs that somebody's end has made ready, until they start. The commit that frees a key knows of no
// caps, pools and kinds, so it may choose one whose lane is gated; the key would be idle then until the next look (key_looks.hpp). Which of
// these jobs state a key at all is not known here: the store does nothing for one that does not.
namespace tenure::daemon {

inline constexpr std::size_t kTurnsMax = 256;  // that are remembered; of more the oldest wait for the look
// That one round passes over: each may look at hundreds of rows of its line, in the commit that others wait for.
inline constexpr std::size_t kTurnsOfRound = 4;
inline constexpr std::size_t kGatedLanesMax = 256;  // of one line, one after the other

class KeyTurns {
 public:
  // `lanes` must outlive it.
  explicit KeyTurns(const Lanes& lanes) : lanes_(lanes) {}

  // Ready by lane hints.
  void came(const std::vector<queue::JobArrival>& rows);
  void started(std::span<const queue::ClaimedJob> jobs);
  // Those of whose lanes none can start now; they are forgotten, and so are those whose lanes are empty.
  [[nodiscard]] std::vector<KeyTurn> take_gated();
  // It could not start, so it is the turn of `next` too.
  void passed_on(const KeyTurn& turn, const queue::JobArrival& next);
  void take_back(const std::vector<KeyTurn>& turns);

 private:
  void add(KeyTurn turn);

  const Lanes& lanes_;
  std::map<queue::JobSeq, KeyTurn> turns_;

  TENURE_REMEMBERS_BESIDE((lanes), turns)
};

}  // namespace tenure::daemon
