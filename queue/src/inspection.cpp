#include <tenure/queue/inspection.hpp>

namespace tenure::queue {

std::string_view name_of(Defect defect) {
  switch (defect) {
    case Defect::damaged_page:
      return "damaged_page";
    case Defect::job_in_no_place:
      return "job_in_no_place";
    case Defect::job_in_several_places:
      return "job_in_several_places";
    case Defect::row_without_job:
      return "row_without_job";
    case Defect::blocked_without_cause:
      return "blocked_without_cause";
    case Defect::claim_without_holder:
      return "claim_without_holder";
    case Defect::wrong_counter:
      return "wrong_counter";
    case Defect::wrong_range:
      return "wrong_range";
  }
  return "unknown";
}

}  // namespace tenure::queue
