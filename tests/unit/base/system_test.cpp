#include <tenure/base/system.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace tenure {
namespace {

bool is_open(int number) { return ::fcntl(number, F_GETFD) >= 0; }

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    reader = Descriptor{ends[0]};
    writer = Descriptor{ends[1]};
  }
  Descriptor reader, writer;
};

TEST(Descriptor, ClosesWhatItOwnsOnce) {
  Pipe pipe;
  const int number = pipe.writer.number();
  {
    const Descriptor moved = std::move(pipe.writer);
    EXPECT_EQ(moved.number(), number);
    EXPECT_TRUE(is_open(number));
  }
  EXPECT_FALSE(is_open(number));
  const int released = pipe.reader.release();
  EXPECT_FALSE(pipe.reader.is_open());
  EXPECT_TRUE(is_open(released));
  ::close(released);
}

TEST(WriteAll, WritesEverythingOrSaysWhyNot) {
  Pipe pipe;
  EXPECT_TRUE(write_all(pipe.writer.number(), ""));
  EXPECT_TRUE(write_all(pipe.writer.number(), "four"));
  EXPECT_EQ(read_up_to(pipe.reader.number(), 4), "four");
  EXPECT_FALSE(write_all(pipe.reader.number(), "x"));
  EXPECT_EQ(errno, EBADF);
}

TEST(ReadUpTo, EndsAtTheLimitOrAtTheEnd) {
  Pipe pipe;
  ASSERT_TRUE(write_all(pipe.writer.number(), "abcdef"));
  EXPECT_EQ(read_up_to(pipe.reader.number(), 3), "abc");
  pipe.writer = Descriptor{};
  EXPECT_EQ(read_up_to(pipe.reader.number(), 100), "def");
  EXPECT_EQ(read_up_to(pipe.reader.number(), 100), "");
  EXPECT_EQ(read_up_to(-1, 1), std::nullopt);
}

TEST(SystemErrors, AreRefusalsAShortageOrTheDisk) {
  for (const int error : {EACCES, EPERM, ELOOP})
    EXPECT_EQ(error_code_of_system(error), ErrorCode::access_refused);
  for (const int error : {EMFILE, ENFILE})
    EXPECT_EQ(error_code_of_system(error), ErrorCode::handle_budget_exhausted);
  for (const int error : {EIO, ENOSPC, ENOENT, EROFS})
    EXPECT_EQ(error_code_of_system(error), ErrorCode::disk);
}

TEST(SystemErrors, SayWhatFailedWhyAndWhere) {
  try {
    raise_system(ENOENT, "it cannot be opened", "/t/a.db");
    FAIL();
  } catch (const DiskError& error) {
    EXPECT_EQ(error.failure(),
              (Failure{ErrorCode::disk, "it cannot be opened: No such file or directory", "", "/t/a.db"}));
  }
  EXPECT_THROW(raise_system(ErrorCode::disk_sync_failed, EIO, "not synced", "/t"), DiskSyncFailed);
}

TEST(FileSystems, ThatAreSharedByMachinesAreNamed) {
  EXPECT_EQ(network_file_system_of(0x6969), "NFS");
  EXPECT_EQ(network_file_system_of(0xFF534D42), "CIFS");
  EXPECT_EQ(network_file_system_of(0x01161970), "GFS2");
  EXPECT_EQ(network_file_system_of(0x564C), "NetWare");
  EXPECT_EQ(network_file_system_of(static_cast<std::int32_t>(0xFF534D42U)), "CIFS")
      << "where f_type is signed";
  for (const std::int64_t type : std::array{0xEF53LL, 0x58465342LL, 0x9123683ELL, 0x01021994LL})
    EXPECT_EQ(network_file_system_of(type), "") << type;
}

TEST(FileSystems, OfAFolderThatIsNotThereAreNotKnown) {
  EXPECT_EQ(network_file_system_below("/nowhere/at/all"), std::nullopt);
  EXPECT_FALSE(lies_in_memory("/nowhere/at/all"));
  EXPECT_EQ(network_file_system_below("/proc"), "");
}

}  // namespace
}  // namespace tenure
