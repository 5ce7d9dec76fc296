#pragma once

#include "../protocol/slot_board.hpp"

#include <sys/mman.h>

// Which thread of a worker process met a signal that ends it is noted in the slot board, so that the daemon knows whose job it was.
namespace tenure::daemon {

// From now on a thread that meets SIGSEGV, SIGABRT, SIGBUS, SIGFPE or SIGILL by its own doing notes it in its slot (CrashSlot), and meets
// the action that was there before, which so has the last word: that of a sanitizer, or the end of the process. A signal that a handler of
// before returns from is noted no more; from one that leaves by siglongjmp the note stays until the thread's next job.
// A handler that is installed later takes the place of this one, and then nobody is named. A bus error in the index of a database is no
// crash (bus_errors.hpp). Once, before other threads start.
void note_crashes();

// For its life, the crashes of the calling thread are noted there (nullptr: nowhere), and its signal handlers have a stack of their own,
// so that an overflow of its stack is noted too. Threads: constructed and destroyed by the one.
class CrashSlot {
 public:
  explicit CrashSlot(BoardSlot* slot);
  ~CrashSlot();
  CrashSlot(const CrashSlot&) = delete;
  CrashSlot& operator=(const CrashSlot&) = delete;

  // Of the calling thread; nullptr where it has none.
  [[nodiscard]] static BoardSlot* of_this_thread();

 private:
  void* stack_ = MAP_FAILED;  // where it had none
};

}  // namespace tenure::daemon
