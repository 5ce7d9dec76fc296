#include <tenure/base/error.hpp>
#include <tenure/testing/runs.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tenure::testing {

std::size_t Runs::succeeded() const {
  return static_cast<std::size_t>(std::ranges::count_if(*this, &JobRun::has_succeeded));
}

std::string JobRun::text() const {
  const std::string whose = tenant ? "of " + tenant->text() : "of no tenant";
  const std::string end =
      failure ? fmt::format("{}: {}", name_of(failure->code), failure->error) : std::string{"succeeded"};
  return fmt::format("{} {}, attempt {}: {}", kind, whose, attempt, end);
}

}  // namespace tenure::testing
