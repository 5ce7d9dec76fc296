#include "greeting.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

namespace tenure::daemon {
namespace {

std::string some_of(std::span<const std::string> names) {
  std::string text;
  for (const std::string& name : names.first(std::min(names.size(), kNamesInGreetingMax)))
    text += (text.empty() ? "" : ", ") + escaped(name);
  if (names.size() > kNamesInGreetingMax)
    text += fmt::format(" and {} more", names.size() - kNamesInGreetingMax);
  return text;
}

std::string counted(std::int64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

std::string greeting_text(pid_t pid, const config::PoolSettings& pool, const DaemonEnd::Greeted& hello) {
  std::vector<std::string> kinds = hello.kinds;
  std::ranges::sort(kinds);
  return fmt::format("pid {}, {}, program version {}; {}: {}; {}: {}", pid, counted(pool.slots, "slot"),
                     escaped(hello.program_version), counted(std::ssize(pool.queues), "queue"),
                     some_of(pool.queues), counted(std::ssize(kinds), "kind"), some_of(kinds));
}

}  // namespace tenure::daemon
