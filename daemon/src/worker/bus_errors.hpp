#pragma once

namespace tenure::daemon {

// SQLite maps a database's -shm into memory, and where the disk can give no page for it (it is full, or broken) an access is a
// SIGBUS. That is nobody's crash: from now on such a process leaves with ExitCode::sync_failed and a line on stderr. A bus error in
// any other memory ends it as ever. Once, before other threads start.
void leave_on_bus_errors_of_databases();

}  // namespace tenure::daemon
