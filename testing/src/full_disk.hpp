#pragma once

#include <csignal>
#include <sys/resource.h>

namespace tenure::testing::detail {

// While it lives no regular file takes another byte, as on a full disk: of the whole process, whose limit it is.
class FullDisk {
 public:
  FullDisk() {
    // The write is to fail, and not the process to end.
    struct sigaction ignored {};
    ignored.sa_handler = SIG_IGN;  // NOLINT(cppcoreguidelines-pro-type-cstyle-cast): the system's macro
    ::sigaction(SIGXFSZ, &ignored, &former_action_);
    ::getrlimit(RLIMIT_FSIZE, &former_limit_);
    const rlimit none{.rlim_cur = 0, .rlim_max = former_limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &former_limit_);
    ::sigaction(SIGXFSZ, &former_action_, nullptr);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  struct sigaction former_action_ {};
  rlimit former_limit_{};
};

}  // namespace tenure::testing::detail
