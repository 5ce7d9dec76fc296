#include "support/temporary_folder.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/copies.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <sys/stat.h>
#include <thread>
#include <vector>

// Copies of a control database, made while others write to it, and looked at where nobody does.
namespace tenure::testing {
namespace {

using namespace queue;  // NOLINT
using ::testing::HasSubstr;

constexpr auto kQuietly = [](const CopyProgress&) {};

class ControlCopies : public ::testing::Test {
 protected:
  static JobId id(std::uint64_t number) {
    Uuid::Bytes bytes{};
    for (std::size_t i = 0; i < 8; ++i) bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    return JobId{Uuid{bytes}};
  }
  void put(std::uint64_t number) {
    NewJob job{.id = id(number),
               .queue = "default",
               .kind = "billing.close",
               .due = clock_.wall(),
               .attempts_max = 10,
               .arguments = "{}"};
    store_->write(Durability::durable,
                  [&](StoreWriter& writer) { (void)value_or_raise(writer.enqueue(job, clock_.wall())); });
  }
  std::int64_t copy() { return copy_control_database(path_, target_, clock_, kQuietly); }
  static bool has(ReadableStore& store, std::uint64_t number) {
    bool found = false;
    store.read([&](JobReader& reader) { found = reader.find_job(id(number)).has_value(); });
    return found;
  }
  static std::vector<std::string> files_of(const std::filesystem::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      names.push_back(entry.path().filename().string());
    return names;
  }
  static std::string refusal(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return error.what();
    }
    return "no refusal";
  }

  TemporaryFolder folder_, copies_;
  std::filesystem::path path_ = folder_ / "control.db";
  std::filesystem::path target_ = copies_ / "copy.db";
  VirtualClock clock_;
  std::unique_ptr<Store> store_ = open_sqlite_store({.path = path_, .create = true}, clock_);
};

}  // namespace

TEST_F(ControlCopies, HaveWhatWasAcknowledgedBeforeWhileOthersGoOnWriting) {
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t acknowledged = 0;
  std::atomic<bool> enough = false;
  std::thread load([&] {
    for (std::uint64_t number = 1; !enough; ++number) {
      put(number);
      const std::lock_guard lock(mutex);
      acknowledged = number;
      changed.notify_all();
    }
  });
  std::uint64_t before = 0;
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return acknowledged >= 200; });
    before = acknowledged;
  }
  copy_control_database(path_, target_, clock_, [&](const CopyProgress&) {
    std::unique_lock lock(mutex);  // so that something is written between any two steps
    changed.wait(lock, [&, now = acknowledged] { return acknowledged > now; });
  });
  enough = true;
  load.join();
  EXPECT_GT(acknowledged, before);

  const auto restored = open_sqlite_store({.path = target_}, clock_);
  for (std::uint64_t number = 1; number <= before; ++number) EXPECT_TRUE(has(*restored, number)) << number;
  restored->read([](JobReader& reader) { EXPECT_TRUE(reader.defects(PageCheck::full).empty()); });
}

TEST_F(ControlCopies, AreOneFileAndNameTheirTime) {
  put(1);
  const std::int64_t bytes = copy();
  EXPECT_EQ(files_of(copies_.path()), (std::vector<std::string>{"copy.db"}));
  EXPECT_EQ(static_cast<std::int64_t>(std::filesystem::file_size(target_)), bytes);
  const WallTime made = clock_.wall();
  clock_.advance(std::chrono::hours(5));
  const ControlCopy opened = open_control_copy(target_);
  EXPECT_EQ(opened.as_of, made);
  EXPECT_TRUE(has(*opened.store, 1));
  put(2);
  EXPECT_FALSE(has(*opened.store, 2));
}

TEST_F(ControlCopies, AreForUserAndGroupWhateverTheUmaskAndBelongToWhomTheFolderDoes) {
  put(1);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(copies_.path().c_str(), 1234, 1235), 0);
  }
  for (const mode_t mask : {mode_t{0}, mode_t{077}}) {
    const mode_t before = ::umask(mask);
    copy();
    ::umask(before);
    struct stat folder {};
    struct stat made {};
    ASSERT_EQ(::stat(copies_.path().c_str(), &folder), 0);
    ASSERT_EQ(::stat(target_.c_str(), &made), 0);
    EXPECT_EQ(made.st_mode & 07777U, 0640U) << mask;
    EXPECT_EQ(made.st_uid, folder.st_uid);
    if (::geteuid() == 0) {
      EXPECT_EQ(made.st_gid, folder.st_gid);
    }
    std::filesystem::remove(target_);
  }
}

TEST_F(ControlCopies, OverwriteNothing) {
  std::ofstream(target_) << "precious";
  EXPECT_THAT(refusal([&] { copy(); }), HasSubstr("nothing is overwritten"));
  std::filesystem::remove(target_);
  std::filesystem::create_symlink(copies_ / "elsewhere.db", target_);
  EXPECT_THAT(refusal([&] { copy(); }), HasSubstr("nothing is overwritten"));
  std::filesystem::remove(target_);
  std::ofstream(target_.string() + ".partial") << "another's";
  EXPECT_THAT(refusal([&] { copy(); }), HasSubstr("another copy is being made to this name"));
  EXPECT_EQ(files_of(copies_.path()), (std::vector<std::string>{"copy.db.partial"}));
}

TEST_F(ControlCopies, OverwriteNothingThatCameMeanwhile) {
  const auto put_there = [&](const CopyProgress&) { std::ofstream(target_) << "quicker"; };
  EXPECT_THAT(refusal([&] { copy_control_database(path_, target_, clock_, put_there); }),
              HasSubstr("cannot be put in its place: File exists"));
  std::string text;
  std::ifstream(target_) >> text;
  EXPECT_EQ(text, "quicker");
  EXPECT_EQ(files_of(copies_.path()), (std::vector<std::string>{"copy.db"}));
}

TEST_F(ControlCopies, LeaveNothingWhereTheyWereNotFinished) {
  EXPECT_THROW(copy_control_database(path_, target_, clock_,
                                     [](const CopyProgress&) { throw std::runtime_error("enough"); }),
               std::runtime_error);
  EXPECT_TRUE(files_of(copies_.path()).empty());
  EXPECT_THAT(refusal([&] { copy_control_database(folder_ / "none.db", target_, clock_, kQuietly); }),
              HasSubstr("DatabaseMissing"));
  EXPECT_TRUE(files_of(copies_.path()).empty());
}

TEST_F(ControlCopies, OfADamagedFileAreRefused) {
  for (std::uint64_t number = 1; number <= 300; ++number) put(number);
  store_.reset();  // moves the log into the file
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path_)) - 4096);
    file << std::string(4096, 'x');
  }
  EXPECT_THAT(refusal([&] { copy(); }), HasSubstr("DatabaseDamaged"));
  EXPECT_TRUE(files_of(copies_.path()).empty());
}

TEST_F(ControlCopies, AreLookedAtInAFolderThatNobodyMayWriteTo) {
  put(1);
  copy();
  std::filesystem::permissions(copies_.path(),
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  struct stat before {};
  ASSERT_EQ(::stat(target_.c_str(), &before), 0);
  EXPECT_TRUE(has(*open_control_copy(target_).store, 1));
  struct stat after {};
  ASSERT_EQ(::stat(target_.c_str(), &after), 0);
  EXPECT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
  EXPECT_EQ(files_of(copies_.path()), (std::vector<std::string>{"copy.db"}));
  std::filesystem::permissions(copies_.path(), std::filesystem::perms::owner_all);
}

TEST_F(ControlCopies, ThatOthersHaveMadeAreAsOldAsTheirFile) {
  put(1);
  store_.reset();
  std::filesystem::copy_file(path_, target_);
  const std::array<timespec, 2> times{timespec{1'700'000'000, 0}, timespec{1'700'000'000, 5000}};
  ASSERT_EQ(::utimensat(AT_FDCWD, target_.c_str(), times.data(), 0), 0);
  EXPECT_EQ(open_control_copy(target_).as_of, from_us(1'700'000'000'000'005));
}

TEST_F(ControlCopies, WithALogBesideThemAreNone) {
  put(1);
  EXPECT_THAT(refusal([&] { static_cast<void>(open_control_copy(path_)); }),
              HasSubstr("there is a log beside it (-wal or -journal)"));
}

TEST_F(ControlCopies, WithAJournalBesideThemAreNone) {
  put(1);
  copy();
  std::ofstream{target_.string() + "-journal"}.flush();
  EXPECT_TRUE(has(*open_control_copy(target_).store, 1)) << "one that is empty says nothing";
  std::ofstream(target_.string() + "-journal") << "pages";
  EXPECT_THAT(refusal([&] { static_cast<void>(open_control_copy(target_)); }),
              HasSubstr("there is a log beside it (-wal or -journal)"));
}

}  // namespace tenure::testing
