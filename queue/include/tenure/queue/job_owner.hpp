#pragma once

#include <tenure/queue/types.hpp>

#include <optional>

namespace tenure::queue {

// Whose a job is, for whoever may touch his own only.
struct JobOwner {
  JobSeq seq;
  std::optional<TenantName> tenant;  // nothing: untenanted
  Generation generation;
  bool is_newest = true;  // the tenant has no later generation; true of an untenanted one
  friend bool operator==(const JobOwner&, const JobOwner&) = default;
};

// A part of JobReader and of StoreWriter.
class JobOwners {
 public:
  virtual ~JobOwners() = default;
  // Nothing: there is no such job.
  [[nodiscard]] virtual std::optional<JobOwner> owner_of_job(JobId id) = 0;
};

}  // namespace tenure::queue
