#pragma once

#include <tenure/base/system.hpp>
#include <tenure/queue/run.hpp>

#include <sys/stat.h>
#include <utility>
#include <vector>

// What a worker process has and a handler can take away or change for the jobs after it.
namespace tenure::daemon {

// The descriptors that a worker process cannot work without. Threads: any, after the last watch().
class OwnDescriptors {
 public:
  // Those that Asio opens between the two calls, by the kernel's names for them: nobody else says which they are.
  [[nodiscard]] static OwnDescriptors before_asio();
  void after_asio();
  // Nothing for one that is closed.
  void watch(int descriptor);
  // Whether each still has open what it had. A few system calls.
  [[nodiscard]] bool are_in_place() const;

 private:
  std::vector<std::pair<int, DescriptorIdentity>> watched_;
  std::vector<int> before_asio_;
};

// The process's working folder and umask, as they were when this was made. Both belong to all threads: a job that changes one
// changes it for those beside it, and nothing can be done about that. Threads: any.
class SurroundingsOfJobs {
 public:
  SurroundingsOfJobs();
  // Puts back what is different, with a line that names the job.
  void put_back(const queue::AssignedJob& after) const;

 private:
  Descriptor folder_;
  DescriptorIdentity folder_identity_;
  mode_t umask_;
};

}  // namespace tenure::daemon
