#pragma once

#include <tenure/queue/types.hpp>

#include <vector>

namespace tenure::queue {

// A job that had not succeeded by some time: it could still run, if only since an operator retries it.
struct UnsucceededJob {
  JobSeq seq;
  TenantNumber tenant;  // the newest generation of the one that it is of: receipts are put back with copies
  JobId id;             // all zero where a damaged row has none
};

struct UnsucceededJobs {
  std::vector<UnsucceededJob> jobs;  // in the order of their sequences
  JobSeq looked_until;  // of the rows that were to be looked at, the last one that was; or their end
  JobSeq newest;        // of all jobs; 0 where there are none
};

}  // namespace tenure::queue
