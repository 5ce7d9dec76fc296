#include <tenure/base/error.hpp>
#include <tenure/testing/runs.hpp>

#include <fmt/format.h>

namespace tenure::testing {

std::string JobRun::text() const {
  const std::string whose = tenant ? "of " + tenant->text() : "of no tenant";
  const std::string end =
      failure ? fmt::format("{}: {}", name_of(failure->code), failure->error) : std::string{"succeeded"};
  return fmt::format("{} {}, attempt {}: {}", kind, whose, attempt, end);
}

}  // namespace tenure::testing
