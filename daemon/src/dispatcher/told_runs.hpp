#pragma once

#include "processes.hpp"
#include "remembered.hpp"

#include <tenure/queue/run.hpp>

#include <map>
#include <vector>

// What runs have told of themselves and is not stored yet: the latest of each, until a round takes it along. It goes before the ends of
// the same round, so that a job which is given back has its last cursor.
namespace tenure::daemon {

class ToldRuns {
 public:
  // Nothing of a job that is not outstanding there.
  void told(const Process& process, std::vector<queue::RunNews> news);
  // All of it: under way until the round is done or not_stored().
  [[nodiscard]] std::vector<queue::RunNews> take();
  // What was told since counts more.
  void not_stored(const std::vector<queue::RunNews>& news);

 private:
  std::map<queue::ClaimRef, queue::RunNews> untold_;  // of outstanding jobs, and so bounded

  TENURE_REMEMBERS(untold)
};

}  // namespace tenure::daemon
