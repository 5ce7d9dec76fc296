#pragma once

// The -shm of a database, SQLite's index of its log, is mapped into memory and written there. Where blocks of the file system are smaller than
// pages of memory, SQLite's own way to reserve one (a byte at its end) leaves blocks of it without a place on the disk, and on a disk that
// is full by then whoever writes there meets SIGBUS, which ends the process.
namespace tenure::sqlite {

// From now on every mapping that this process's SQLite library makes to write to has its blocks reserved before, and fails for want of room
// (SQLITE_IOERR_SHMMAP, our DiskError) where there are none. File systems that cannot reserve map as before. Once, before the first connection.
void reserve_pages_of_indexes();

}  // namespace tenure::sqlite
