#include <tenure/jobs/registry.hpp>

namespace tenure {

void JobRegistry::add_runner(std::string_view kind, Runner runner) {
  check_kind(kind);
  if (!runners_.emplace(kind, std::move(runner)).second)
    raise(ErrorCode::bad_options, "kind \"" + std::string{kind} + "\" has a handler already");
}

const JobRegistry::Runner* JobRegistry::find(std::string_view kind) const {
  const auto found = runners_.find(kind);
  return found == runners_.end() ? nullptr : &found->second;
}

std::vector<std::string> JobRegistry::kinds() const {
  std::vector<std::string> names;
  names.reserve(runners_.size());
  for (const auto& [kind, runner] : runners_) names.push_back(kind);
  return names;
}

}  // namespace tenure
