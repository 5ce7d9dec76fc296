#pragma once

#include <tenure/jobs/archive.hpp>
#include <tenure/jobs/options.hpp>
#include <tenure/jobs/payload.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace tenure::detail {

// What an enqueue needs of an argument type, so that nothing but its encoding is compiled for each.
struct JobKind {
  std::string_view name;
  JobOptions (*options)();
  std::string (*encode)(const void* job, PayloadContext&);
  std::size_t size;  // of one job, bytes
};

template <JobType Job>
std::string encode_job(const void* job, PayloadContext& context) {
  return encode_arguments(*static_cast<const Job*>(job), context, kLimitsOfStored);
}

template <JobType Job>
[[nodiscard]] JobKind job_kind_of() {
  return {Job::kind, &options_of<Job>, &encode_job<Job>, sizeof(Job)};
}

}  // namespace tenure::detail
