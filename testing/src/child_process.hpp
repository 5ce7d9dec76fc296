#pragma once

#include <tenure/base/function_ref.hpp>

#include <chrono>
#include <filesystem>
#include <string>

namespace tenure::testing::detail {

struct ChildEnd {
  int code = -1;       // that it has ended with; -1: it has not ended by itself
  std::string text;    // "its process was ended by signal 11 (Segmentation fault)"
  std::string output;  // the end of what it has written to standard output and error
};

// Forks; `work` runs in the child and never returns. Waits for its end, and kills it after `at_most`. The child dies with the thread that
// calls. DiskError, HandleBudgetExhausted: what the system has none of.
[[nodiscard]] ChildEnd fork_and_wait(FunctionRef<void()> work, const std::filesystem::path& output,
                                     std::chrono::seconds at_most);

}  // namespace tenure::testing::detail
