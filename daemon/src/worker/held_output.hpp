#pragma once

#include <tenure/base/system.hpp>

namespace tenure::daemon {

// What the process prints, thrown away for a while. Threads: one.
class HeldOutput {
 public:
  HeldOutput() = default;
  ~HeldOutput() { let_through(); }
  HeldOutput(const HeldOutput&) = delete;
  HeldOutput& operator=(const HeldOutput&) = delete;

  // Standard output and standard error lead to nowhere from now on. DiskError.
  void hold();
  // To where they led before. May be called twice.
  void let_through();

 private:
  Descriptor output_, messages_;
};

}  // namespace tenure::daemon
