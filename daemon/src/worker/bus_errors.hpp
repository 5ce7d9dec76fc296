#pragma once

#include <csignal>

namespace tenure::daemon {

// SQLite maps a database's -shm into memory, and where the disk can give no page for it (it is full, or broken) an access is a
// SIGBUS. That is nobody's crash: the process leaves with ExitCode::sync_failed and a line on stderr. Returns for a bus error in any
// other memory. Safe in a signal handler.
void leave_if_index_of_database(const siginfo_t& bus_error);

// From now on that is done at each bus error; one in other memory ends the process as ever. Once, before other threads start.
void leave_on_bus_errors_of_databases();

}  // namespace tenure::daemon
