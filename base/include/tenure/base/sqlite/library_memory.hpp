#pragma once

namespace tenure::sqlite {

// SQLite counts no memory in this process from now on: sqlite3_memory_used() is 0 and its heap limits do nothing. The count is one lock of
// all threads for each allocation, and costs worker threads a tenth of their rate. For programs of ours, before their first
// connection (afterwards it has no effect); an application that only links us keeps what it may rely on.
// Threads: one, before there are others.
void count_no_memory();

}  // namespace tenure::sqlite
