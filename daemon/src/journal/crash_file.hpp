#pragma once

#include "keeper.hpp"

// The last thing that a daemon does whose dispatcher's thread crashes: it writes its journal, of which the event that it did not survive
// is the last.
namespace tenure::daemon::journal {

// From now on this process writes the keeper's journal into its folder, "crash-START-PID.journal", where a fatal signal of this thread
// ends it: SIGABRT (an invariant that is broken), SIGSEGV, SIGFPE or SIGILL. One of another thread ends it at once and writes nothing:
// the dispatcher may be within its next event then. Where kFilesMax of them lie there already it does not, and says so in the log.
// Threads: the dispatcher's makes it, and it alone uses the keeper; one of these at a time.
class CrashFile {
 public:
  // The keeper must outlive it.
  CrashFile(const Keeper& keeper, WallTime now);
  ~CrashFile();
  CrashFile(const CrashFile&) = delete;
  CrashFile& operator=(const CrashFile&) = delete;
};

}  // namespace tenure::daemon::journal
