#include <tenure/queue/job_result.hpp>

namespace tenure::queue {

bool is_valid(const JobResult& result) {
  return result.text.size() <= kJobResultMax && result.keep_for >= kKeepResultMin &&
         result.keep_for <= kKeepResultMax;
}

}  // namespace tenure::queue
