#include <tenure/daemon/process_status.hpp>

namespace tenure::daemon {

std::string_view phase_text(Phase phase) {
  switch (phase) {
    case Phase::starting:
      return "has not said hello";
    case Phase::ready:
      return "takes jobs";
    case Phase::leaving:
      break;
  }
  return "is leaving";
}

}  // namespace tenure::daemon
