#include "simulated.hpp"
#include "support/in_child.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/system.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <journal/crash_file.hpp>
#include <journal/keeper.hpp>
#include <journal/replay.hpp>
#include <pthread.h>
#include <string>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace tenure::daemon::journal {
namespace {

using ::testing::HasSubstr;

constexpr WallTime kNow = from_us(1'772'446'440'123'456);

class JournalKeeperTest : public ::testing::Test {
 protected:
  // Two steps, of which the last one does not end where `is_cut`.
  static void live(Keeper& keeper, Dispatcher& dispatcher, bool is_cut = false) {
    const Now begun{kNow, Instant{1s}};
    keeper.happened(dispatcher, Started{}, begun);
    keeper.decided(dispatcher.step(Started{}, begun));
    const Now later{kNow + 1s, Instant{2s}};
    keeper.happened(dispatcher, TimePassed{}, later);
    if (!is_cut) keeper.decided(dispatcher.step(TimePassed{}, later));
  }
  Dump written(Keeper& keeper) {
    Dump dump = keeper.dump(kNow);
    while (dump.state == Dump::State::writing) dump = keeper.last_dump();
    return dump;
  }
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> all;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(journals, ignored))
      all.push_back(entry.path());
    return all;
  }
  void put_files(const std::string& front) const {
    std::filesystem::create_directory(journals);
    for (std::size_t file = 0; file < kFilesMax; ++file)
      std::ofstream(journals / fmt::format("{}{}.journal", front, file)) << "x";
  }
  // In a child that ends by this signal, where `work` does not end it before.
  static int signal_of_child(const std::function<void()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit none{0, 0};
      ::setrlimit(RLIMIT_CORE, &none);
      work();
      ::_exit(0);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

  testing::TemporaryFolder folder;
  std::filesystem::path control = folder / "control.db";
  std::filesystem::path journals = folder / "control.db-journals";
  Origin origin{"1.2.3", "app-1", 4711};
};

TEST_F(JournalKeeperTest, AFileThatIsAskedForIsItsOwnersAloneAndReplays) {
  Keeper keeper(1UL << 20U, control, origin);
  Dispatcher dispatcher(one_pool(1, 1).settings);
  live(keeper, dispatcher);
  const Dump dump = written(keeper);
  ASSERT_EQ(dump.state, Dump::State::written) << dump.error;
  EXPECT_EQ(dump.file, journals / "dump-20260302T101400.123456Z-4711.journal");
  struct stat status {};
  ASSERT_EQ(::stat(dump.file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_EQ(::stat(journals.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  EXPECT_EQ(files().size(), 1U) << "nothing unfinished is left";
  EXPECT_EQ(dump.bytes, std::filesystem::file_size(dump.file));
  const JournalFile file = read_journal(dump.file);
  EXPECT_EQ(file.head.why, Why::request);
  EXPECT_EQ(file.head.node, "app-1");
  const Replay replayed = replay(file, "1.2.3");
  EXPECT_EQ(replayed.events, 2U);
  EXPECT_FALSE(replayed.difference);
}

TEST_F(JournalKeeperTest, NoMoreFilesAreWrittenThanTheFolderMayHave) {
  put_files("dump-");
  Keeper keeper(1UL << 20U, control, origin);
  Dispatcher dispatcher(one_pool(1, 1).settings);
  live(keeper, dispatcher);
  const Dump refused = keeper.dump(kNow);
  EXPECT_EQ(refused.state, Dump::State::failed);
  EXPECT_THAT(refused.error, HasSubstr("has 16 journals already, and no more are written: remove some"));
  std::filesystem::remove(journals / "dump-0.journal");
  EXPECT_EQ(written(keeper).state, Dump::State::written);
}

TEST_F(JournalKeeperTest, WhatCannotBeWrittenIsSaid) {
  std::ofstream(journals) << "no folder";
  Keeper keeper(1UL << 20U, control, origin);
  Dispatcher dispatcher(one_pool(1, 1).settings);
  live(keeper, dispatcher);
  const Dump failed = written(keeper);
  EXPECT_EQ(failed.state, Dump::State::failed);
  EXPECT_THAT(failed.error, HasSubstr("Not a directory"));
}

// Threads that begin within want a stack larger than any address space.
class NoMoreThreads {
 public:
  NoMoreThreads() {
    ::pthread_getattr_default_np(&before_);
    pthread_attr_t huge;
    ::pthread_getattr_default_np(&huge);
    ::pthread_attr_setstacksize(&huge, 1UL << 48U);
    EXPECT_EQ(::pthread_setattr_default_np(&huge), 0);
    ::pthread_attr_destroy(&huge);
  }
  ~NoMoreThreads() {
    ::pthread_setattr_default_np(&before_);
    ::pthread_attr_destroy(&before_);
  }
  NoMoreThreads(const NoMoreThreads&) = delete;
  NoMoreThreads& operator=(const NoMoreThreads&) = delete;

 private:
  pthread_attr_t before_{};
};

TEST_F(JournalKeeperTest, WithoutAThreadItIsRefusedAndTheNextOneIsWritten) {
  Keeper keeper(1UL << 20U, control, origin);
  Dispatcher dispatcher(one_pool(1, 1).settings);
  live(keeper, dispatcher);
  {
    const NoMoreThreads none;
    const Dump refused = keeper.dump(kNow);
    EXPECT_EQ(refused.state, Dump::State::failed);
    EXPECT_THAT(refused.error,
                HasSubstr("there is no memory or no thread to write it: Resource temporarily"));
  }
  EXPECT_EQ(keeper.last_dump().state, Dump::State::none) << "nothing was begun";
  EXPECT_EQ(written(keeper).state, Dump::State::written);
}

TEST_F(JournalKeeperTest, WithoutAJournalThereIsNothingToWrite) {
  Keeper keeper(0, control, origin);
  Dispatcher dispatcher(one_pool(1, 1).settings);
  live(keeper, dispatcher);
  EXPECT_EQ(keeper.dump(kNow).error, "no journal is kept: daemon.journal_size is 0");
}

TEST_F(JournalKeeperTest, ACrashLeavesAJournalWhoseLastEventIsTheOneThatWasNotSurvived) {
  const std::vector<std::pair<int, void (*)()>> crashes{{SIGABRT, [] { TENURE_INVARIANT(1 + 1 == 3); }},
                                                        {SIGSEGV, [] { ::raise(SIGSEGV); }},
                                                        {SIGFPE, [] { ::raise(SIGFPE); }}};
  for (const auto& [signal, crash] : crashes) {
    EXPECT_EQ(signal_of_child([&, crash = crash] {
                Keeper keeper(1UL << 20U, control, origin);
                const CrashFile crash_file(keeper, kNow);
                Dispatcher dispatcher(one_pool(1, 1).settings);
                live(keeper, dispatcher, true);
                crash();
              }),
              signal);
    ASSERT_EQ(files().size(), 1U);
    EXPECT_EQ(files().front().filename(), "crash-20260302T101400Z-4711.journal");
    struct stat status {};
    ASSERT_EQ(::stat(files().front().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    const JournalFile file = read_journal(files().front());
    EXPECT_EQ(file.head.why, Why::crash);
    const Replay replayed = replay(file, "1.2.3");
    EXPECT_EQ(replayed.events, 2U);
    EXPECT_TRUE(replayed.ended_within);
    EXPECT_FALSE(replayed.difference);
    std::filesystem::remove(files().front());
  }
}

TEST_F(JournalKeeperTest, ACrashOfAnotherThreadThanTheDispatchersEndsTheDaemonAndWritesNone) {
  for (const int signal : {SIGABRT, SIGSEGV}) {
    EXPECT_EQ(signal_of_child([&] {
                Keeper keeper(1UL << 20U, control, origin);
                const CrashFile crash_file(keeper, kNow);
                Dispatcher dispatcher(one_pool(1, 1).settings);
                live(keeper, dispatcher);
                std::thread([signal] { ::raise(signal); }).join();
              }),
              signal);
    EXPECT_TRUE(files().empty());
  }
}

TEST_F(JournalKeeperTest, NothingIsOverwrittenAndNothingUnfinishedIsLeft) {
  std::filesystem::create_directory(journals);
  const std::vector<std::string> names{"crash-20260302T101400Z-4711.journal",
                                       "dump-20260302T101400.123456Z-4711.journal"};
  for (const std::string& name : names) std::ofstream(journals / name) << "x";
  Keeper keeper(1UL << 20U, control, origin);
  Dispatcher dispatcher(one_pool(1, 1).settings);
  live(keeper, dispatcher);
  EXPECT_THAT(written(keeper).error, HasSubstr("File exists"));
  const auto crash = [&] {
    const CrashFile crash_file(keeper, kNow);
    ::raise(SIGABRT);
  };
  EXPECT_EQ(signal_of_child(crash), SIGABRT);
  EXPECT_EQ(files().size(), 2U);
  for (const std::string& name : names) EXPECT_EQ(std::filesystem::file_size(journals / name), 1U) << name;
  const std::filesystem::path unfinished = journals / (names[0] + ".unfinished");
  std::filesystem::rename(journals / names[0], unfinished);
  const Descriptor writing(::open(unfinished.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(writing.number(), LOCK_EX | LOCK_NB), 0) << "by another process";
  EXPECT_EQ(signal_of_child(crash), SIGABRT);
  EXPECT_EQ(std::filesystem::file_size(unfinished), 1U);
}

TEST_F(JournalKeeperTest, WhatAKilledDaemonHasLeftUnfinishedGoesAndCountsForNothing) {
  put_files("dump-");
  put_files("crash-");
  for (const auto& file : files()) std::filesystem::rename(file, file.string() + ".unfinished");
  const std::filesystem::path writing = journals / "dump-0.journal.unfinished";
  const Descriptor held(::open(writing.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::flock(held.number(), LOCK_EX | LOCK_NB), 0);
  std::ofstream(journals / "notes.unfinished") << "somebody's";
  Keeper keeper(1UL << 20U, control, origin);
  Dispatcher dispatcher(one_pool(1, 1).settings);
  live(keeper, dispatcher);
  const Dump dump = written(keeper);
  EXPECT_EQ(dump.state, Dump::State::written) << dump.error;
  EXPECT_EQ(files().size(), 3U);
  EXPECT_TRUE(std::filesystem::exists(writing)) << "which somebody writes";
  EXPECT_TRUE(std::filesystem::exists(journals / "notes.unfinished"));
  put_files("crash-");
  for (const auto& file : files())
    if (file.filename().string().starts_with("crash-"))
      std::filesystem::rename(file, file.string() + ".unfinished");
  const auto crash = [&] {
    const CrashFile crash_file(keeper, kNow);
    ::raise(SIGABRT);
  };
  EXPECT_EQ(signal_of_child(crash), SIGABRT);
  EXPECT_EQ(count_files(journals, "crash-"), 1U);
}

TEST_F(JournalKeeperTest, AFolderThatIsALinkOrThatOthersMayWriteIsNotUsed) {
  Keeper keeper(1UL << 20U, control, origin);
  Dispatcher dispatcher(one_pool(1, 1).settings);
  live(keeper, dispatcher);
  const auto expect_none = [&](const std::string& why) {
    EXPECT_THAT(written(keeper).error, HasSubstr(why));
    EXPECT_EQ(signal_of_child([&] {
                const CrashFile crash_file(keeper, kNow);
                ::raise(SIGABRT);
              }),
              SIGABRT);
    EXPECT_TRUE(files().empty());
  };
  std::filesystem::create_directory(folder / "elsewhere");
  std::filesystem::create_directory_symlink(folder / "elsewhere", journals);
  expect_none("Not a directory");
  std::filesystem::remove(journals);
  std::filesystem::create_directory(journals);
  std::filesystem::permissions(journals, std::filesystem::perms::all);
  expect_none("Operation not permitted");
}

TEST_F(JournalKeeperTest, AChildOfTheDaemonWritesNoneForIt) {
  Keeper keeper(1UL << 20U, control, origin);
  const CrashFile crash_file(keeper, kNow);
  Dispatcher dispatcher(one_pool(1, 1).settings);
  live(keeper, dispatcher);
  EXPECT_EQ(signal_of_child([] { std::abort(); }), SIGABRT);
  EXPECT_TRUE(files().empty());
}

TEST_F(JournalKeeperTest, ALoopOfCrashesLeavesNoMoreFilesThanTheFolderMayHave) {
  put_files("crash-");
  EXPECT_EQ(signal_of_child([&] {
              Keeper keeper(1UL << 20U, control, origin);
              const CrashFile crash_file(keeper, kNow);
              Dispatcher dispatcher(one_pool(1, 1).settings);
              live(keeper, dispatcher);
              std::abort();
            }),
            SIGABRT);
  EXPECT_EQ(files().size(), kFilesMax);
}

}  // namespace
}  // namespace tenure::daemon::journal
