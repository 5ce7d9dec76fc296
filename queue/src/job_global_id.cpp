#include <tenure/queue/job_global_id.hpp>

namespace tenure::queue {

GlobalId global_id_of(std::string_view application, JobId id, const std::optional<TenantName>& tenant) {
  return GlobalId{application, kJobModel, id.text(), tenant};
}

}  // namespace tenure::queue
