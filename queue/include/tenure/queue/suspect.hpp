#pragma once

#include <tenure/queue/run.hpp>
#include <tenure/queue/types.hpp>

#include <cstdint>
#include <string>

// Jobs under which a daemon or a worker process has ended: what is left of their claims, and how one is claimed by itself.
namespace tenure::queue {

// A claim that a dispatcher before this one has left behind.
struct FormerClaim {
  ClaimRef claim;
  int crashes = 0;         // of its job
  bool was_alone = false;  // claimed as a suspect that performs alone, and so it was to the end
};

// A job that was claimed when the daemon died, or performed when its worker process ended. It is blocked for the reason `suspect` until
// it is claimed by itself.
struct Suspect {
  JobSeq seq;
  TenantNumber tenant;
  std::string queue;
  std::string kind;
  // Of the daemon, so far. 0: of its worker process; it is performed alone, in a process of its own, until it has succeeded.
  int deaths = 1;
  // At the last of them it was on trial, and then whether nothing else performed.
  bool was_on_trial = false;
  bool was_alone = false;
  std::int64_t counter = 0;  // of the claim that it had then: the greater, the later it had started
  Lane lane = {};
};

struct SuspectRequest {
  JobSeq seq;
  ClaimToken token;
  ProcessNumber process;
  bool is_alone = false;
};

}  // namespace tenure::queue
