#pragma once

#include <tenure/base/function_ref.hpp>
#include <tenure/base/sqlite/connection.hpp>

#include <cstdint>
#include <filesystem>

namespace tenure::sqlite {

struct CopyProgress {
  std::int64_t pages_done = 0;
  std::int64_t pages = 0;
};

// Copies the database of `source` as it is now, or as the snapshot has it that its connection holds, page by page, into `target`, an empty file that nobody has open. Others read and write
// meanwhile; none of their commits is in the copy, and their log grows until it is done, since the copy is a reader of it. The copy is
// on disk when it returns. `progress` is called after each megabyte; what it throws ends the copy, and the target is of no use then.
// Threads: those of the connection, which is in no transaction, or in one that has only read.
void copy_database(Connection& source, const std::filesystem::path& target,
                   FunctionRef<void(const CopyProgress&)> progress);

}  // namespace tenure::sqlite
