#pragma once

#include <cstdio>
#include <exception>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>

namespace tenure::testing {

// Forks and runs `work` in the child; what it returned, or 255 where it threw or died. The child leaves without destructors.
inline int in_child(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    int result = 255;
    try {
      result = work();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "in the child: %s\n", error.what());
    }
    ::_exit(result);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 255;
  return WEXITSTATUS(status);
}

// Whether the call throws this, for work in a child, where no assertion of a test reaches anybody.
template <class Exception, class Function>
bool throws(Function&& function) {
  try {
    function();
  } catch (const Exception&) {
    return true;
  }
  return false;
}

}  // namespace tenure::testing
