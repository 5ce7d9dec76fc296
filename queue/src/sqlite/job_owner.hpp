#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/job_owner.hpp>

#include <optional>
#include <vector>

namespace tenure::queue {

[[nodiscard]] std::optional<JobOwner> owner_of_job(sqlite::Connection& connection, JobId id);

[[nodiscard]] std::vector<const sqlite::Query*> job_owner_queries();

}  // namespace tenure::queue
