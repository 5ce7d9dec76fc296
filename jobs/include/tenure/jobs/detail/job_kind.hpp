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
  // Whether that is one of its names.
  bool (*is_named)(std::string_view name);
};

template <JobType Job>
std::string encode_job(const void* job, PayloadContext& context) {
  return encode_arguments(*static_cast<const Job*>(job), context, kLimitsOfStored);
}

template <JobType Job>
bool is_name_of(std::string_view name) {
  if (name == Job::kind) return true;
  if constexpr (SaysAliases<Job>)
    for (const std::string_view alias : Job::aliases)
      if (name == alias) return true;
  return false;
}

template <JobType Job>
[[nodiscard]] JobKind job_kind_of() {
  return {Job::kind, &options_of<Job>, &encode_job<Job>, sizeof(Job), &is_name_of<Job>};
}

}  // namespace tenure::detail
