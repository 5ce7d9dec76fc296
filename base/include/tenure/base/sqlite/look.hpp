#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/base/sqlite/connection.hpp>

#include <filesystem>

namespace tenure::sqlite {

// Runs `work` with a connection of its own inside one snapshot. It waits for no writer, needs no permission to write, and changes
// nothing on disk, so that a copy stays the copy that it was.
//   with a log   its index is only read; where no process has it open, SQLite makes one in memory
//   without one  the file is read as it lies there, by no lock at all
// AccessRefused where there is a log without an index, which a look would have to write; StoreBusy where a file without a log was
// written to meanwhile: `work` may have seen half of that, so what it found is no answer. Else as Connection.
// Not beside other connections of the process to the same database, which could not write: see look_at_file.
// Threads: any.
void look_at(const std::filesystem::path& path, FunctionRef<void(Connection&)> work);

// The same where the database file alone is the whole database. False where there is a log, or the file was written to meanwhile: what
// `work` found is no answer then. For processes that have the database open as well: SQLite keeps one index of a log for all
// connections of a process, and one that was opened to be looked at makes all of them unable to write.
// Threads: any.
[[nodiscard]] bool look_at_file(const std::filesystem::path& path, FunctionRef<void(Connection&)> work);

// For a file that somebody may have made to harm: from now on no value may be longer than the file, or than 1 MiB where that is more. What
// lies in it is shorter, and what its schema computes (an index of an expression) fails beyond that, as the statement does.
// Threads: those of the connection.
void limit_values_by_file(Connection& connection);

}  // namespace tenure::sqlite
