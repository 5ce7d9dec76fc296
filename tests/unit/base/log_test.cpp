#include "support/in_child.hpp"
#include "support/temporary_folder.hpp"
#include "support/unread_pipe.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/limits.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>

#include <gtest/gtest.h>

#include <array>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <pthread.h>
#include <sys/stat.h>
#include <thread>

namespace tenure::log {
namespace {

using namespace std::string_literals;

// Stands before the tests that configure the log, for whoever runs all of them in one process.
TEST(UnconfiguredLog, IsOfWhatSomebodyShouldLookAt) {
  ::testing::internal::CaptureStderr();
  write(Level::info, "sqlite.message", "recovered 15 frames");
  write(Level::warning, "sqlite.log_saved", "look at it");
  finish();
  const std::string lines = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(lines.find("recovered"), std::string::npos) << lines;
  EXPECT_NE(lines.find("warning sqlite.log_saved look at it"), std::string::npos) << lines;
}

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    use(Format::json);
    capture_for_test(&lines_);
  }
  void TearDown() override {
    capture_for_test(nullptr);
    configure({});
  }
  void use(Format format, Level level = Level::debug) {
    configure({.level = level, .format = format, .node = "node1", .clock = &clock_});
  }
  const std::string& line() const { return lines_.back(); }
  std::string field(std::string_view key) const {
    const auto document =
        value_or_raise(json::Document::parse(line(), {.bytes_max = 1U << 20U, .depth_max = 1}));
    const auto member = document.root().member(key);
    return member ? std::string(*member->string()) : "absent";
  }

  VirtualClock clock_;
  std::vector<std::string> lines_;
};

TEST_F(LogTest, OBS_07_OneEventIsOneJsonLineWithKeysInOrder) {
  // On a thread of its own: the main one's name is the program's, for every other test.
  std::thread([] {
    ::pthread_setname_np(::pthread_self(), "dispatcher");
    const Context context("acme", 3, "0190-job");
    write(Level::warning, "job.failed", "no luck",
          {.pool = "mail",
           .process = 7,
           .kind = "billing.send",
           .queue = "mailers",
           .attempt = 2,
           .claim = "4.5",
           .duration_ms = 12,
           .error = "HandlerFailed",
           .code = "60"});
  }).join();
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_EQ(line(),
            R"({"time":"2023-11-14T22:13:20Z","level":"warning","event":"job.failed","message":"no luck",)"
            R"("node":"node1","pid":)" +
                std::to_string(::getpid()) +
                R"(,"thread":"dispatcher","pool":"mail","process":7,"tenant":"acme","generation":3,)"
                R"("job":"0190-job","kind":"billing.send","queue":"mailers","attempt":2,"claim":"4.5",)"
                R"("duration_ms":12,"error":"HandlerFailed","code":"60"})");
}

TEST_F(LogTest, LeavesOutWhatIsAbsent) {
  write(Level::info, "daemon.started", "up");
  for (const char* key : {"pool", "process", "tenant", "generation", "job", "kind", "queue", "attempt",
                          "claim", "duration_ms", "error", "code"})
    EXPECT_EQ(line().find("\""s + key + "\""), std::string::npos) << key;
}

TEST_F(LogTest, OBS_07_NewlineAndEscapeBytesCannotForgeALine) {
  const std::string forged = "x\n{\"level\":\"error\"}\r\x1b[2J\u009b\u2028\0\xFF"s;
  for (const Format format : {Format::json, Format::text}) {
    use(format);
    const Context context(forged, 1, forged);
    write(Level::error, forged, forged, {.pool = forged, .kind = forged, .queue = forged, .error = forged});
    for (const char character : line()) EXPECT_GE(static_cast<unsigned char>(character), 0x20) << line();
    for (const char* control : {"\u009b", "\u2028", "\x7f"})
      EXPECT_EQ(line().find(control), std::string::npos);
    EXPECT_TRUE(is_utf8(line()));
  }
  EXPECT_EQ(lines_.size(), 2U);
}

TEST_F(LogTest, KeepsTheTextOfAForgedMessageReadableInJson) {
  write(Level::error, "job.failed", "a\nb\xFF");
  EXPECT_EQ(field("message"), "a\nb\uFFFD");
}

// Written bytes count: an escape is longer than what it stands for.
TEST_F(LogTest, CutsTextsByWhatIsWrittenAndSaysThatThereIsMore) {
  const std::string exact(limits::kErrorTextMax, 'x');
  write(Level::error, "job.failed", exact, {.kind = std::string(kFieldMax, 'k'), .error = exact});
  EXPECT_EQ(field("error"), exact);
  EXPECT_EQ(field("message"), exact);
  EXPECT_EQ(field("kind"), std::string(kFieldMax, 'k'));
  write(Level::error, "job.failed", exact + "x",
        {.kind = std::string(kFieldMax + 1, 'k'), .error = exact.substr(1) + "ü"});
  EXPECT_EQ(field("message"), exact + "...");
  EXPECT_EQ(field("kind"), std::string(kFieldMax, 'k') + "...");
  EXPECT_EQ(field("error"), exact.substr(1) + "...");
  write(Level::error, "job.failed", "", {.error = std::string(limits::kErrorTextMax, '\x01')});
  EXPECT_EQ(field("error"), std::string(limits::kErrorTextMax / 6, '\x01') + "...");
}

TEST_F(LogTest, OBS_07_NoLineIsLongerThanItsLimitWhateverIsWritten) {
  for (const std::string each : {"\x01", "\xFF", "\"", "\\", "ü", "\u202E", "\U000E0041", "x"}) {
    std::string huge;
    while (huge.size() < 8 * limits::kErrorTextMax) huge += each;
    for (const Format format : {Format::json, Format::text}) {
      configure({.level = Level::debug, .format = format, .node = huge, .clock = &clock_});
      const Context context(huge, 1, huge);
      write(Level::error, huge, huge,
            {.pool = huge, .kind = huge, .queue = huge, .claim = huge, .error = huge, .code = huge});
      EXPECT_LE(line().size(), kLineMax) << escaped(each);
      EXPECT_GE(line().size(), limits::kErrorTextMax);
    }
  }
}

TEST_F(LogTest, OBS_07_NoInvisibleOrDirectionChangingCharacterReachesALine) {
  for (const Format format : {Format::json, Format::text}) {
    use(format);
    write(Level::error, "job.failed", "abc\u202Edcba", {.error = "\u2066\u200B\uFEFF\U000E0041"});
    for (const char* hidden : {"\u202E", "\u2066", "\u200B", "\uFEFF", "\U000E0041"})
      EXPECT_EQ(line().find(hidden), std::string::npos) << escaped(hidden);
  }
  use(Format::json);
  write(Level::error, "job.failed", "abc\u202Edcba");
  EXPECT_EQ(field("message"), "abc\u202Edcba");
}

TEST_F(LogTest, NoTextForgesAFieldOfTheTextFormat) {
  use(Format::text);
  const auto written = [&](std::string_view message, std::string_view error) {
    write(Level::info, "e", message, {.error = error});
    const std::size_t from = line().find(" e ") + 3;
    return line().substr(from, line().find(" node=") - from) + " | " + line().substr(line().rfind("error="));
  };
  EXPECT_EQ(written("two words", "one"), "two words | error=one");
  EXPECT_EQ(written("up tenant=acme", "x tenant=acme"), "\"up tenant=acme\" | error=\"x tenant=acme\"");
  EXPECT_EQ(written("say \"hi\"", "\"x\" y"), "\"say \\\"hi\\\"\" | error=\"\\\"x\\\" y\"");
  EXPECT_EQ(written("a\nb", "\x1b[2J"), "a\\x0ab | error=\\x1b[2J");
  EXPECT_EQ(written("a\\x0ab", "\\x1b"), "\"a\\\\x0ab\" | error=\"\\\\x1b\"") << "no escape of ours";
}

TEST_F(LogTest, SilenceLastsUntilTheNextConfiguration) {
  silence();
  write(Level::error, "e", "");
  EXPECT_EQ(lines_.size(), 0U);
  use(Format::json);
  write(Level::error, "e", "");
  EXPECT_EQ(lines_.size(), 1U);
}

TEST_F(LogTest, TakesTenantAndJobFromTheInnermostContextOfTheThread) {
  const Context outer("acme", 1, "job1");
  {
    const Context inner("globex", 2, "");
    write(Level::info, "e", "");
    EXPECT_EQ(field("tenant"), "globex");
    EXPECT_EQ(field("job"), "absent");
  }
  write(Level::info, "e", "");
  EXPECT_EQ(field("tenant"), "acme");
  EXPECT_EQ(field("job"), "job1");
  std::thread([&] { write(Level::info, "e", ""); }).join();
  EXPECT_EQ(field("tenant"), "absent");
}

TEST_F(LogTest, WritesOnlyTheLevelsThatAreOn) {
  use(Format::json, Level::warning);
  write(Level::debug, "e", "");
  write(Level::info, "e", "");
  EXPECT_EQ(lines_.size(), 0U);
  write(Level::warning, "e", "");
  write(Level::error, "e", "");
  EXPECT_EQ(lines_.size(), 2U);
}

TEST_F(LogTest, WritesTextForATerminal) {
  use(Format::text);
  write(Level::info, "daemon.started", "up", {.attempt = 1});
  EXPECT_TRUE(line().starts_with("2023-11-14T22:13:20Z info    daemon.started up node=node1 pid=")) << line();
  EXPECT_TRUE(line().ends_with(" attempt=1")) << line();
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

TEST_F(LogTest, WritesToItsFileAndFollowsARotationWhenToldTo) {
  const std::filesystem::path folder = ::testing::TempDir() + "/tenure_log_test";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  const auto file = folder / "log", moved = folder / "log.1";
  capture_for_test(nullptr);
  configure({.format = Format::json, .file = file.string()});
  write(Level::info, "first", "");
  std::filesystem::rename(file, moved);
  write(Level::info, "second", "");
  reopen();
  write(Level::info, "third", "");
  EXPECT_EQ(lines_of(moved).size(), 2U);
  ASSERT_EQ(lines_of(file).size(), 1U);
  EXPECT_NE(lines_of(file).at(0).find("\"third\""), std::string::npos);
  std::filesystem::remove_all(folder);
}

TEST_F(LogTest, AFileThatIsMadeIsNotForEverybodyAndOneThatIsThereKeepsItsMode) {
  using std::filesystem::perms;
  const std::filesystem::path folder = ::testing::TempDir() + "/tenure_log_mode_test";
  std::filesystem::remove_all(folder);
  const auto file = folder / "made" / "log";
  const mode_t before = ::umask(022);
  configure({.file = file.string()});
  EXPECT_EQ(std::filesystem::status(file).permissions(), perms{0640});
  std::filesystem::permissions(file, perms{0644});
  reopen();
  EXPECT_EQ(std::filesystem::status(file).permissions(), perms{0644});
  ::umask(before);
  std::filesystem::remove_all(folder);
}

TEST_F(LogTest, RefusesAFileThatCannotBeOpenedAndKeepsTheFormerPlace) {
  EXPECT_THROW(configure({.file = "/proc/none/log"}), DiskError);
  write(Level::info, "e", "");
  EXPECT_EQ(field("node"), "node1");
}

class UnreadLogTest : public LogTest {
 protected:
  void SetUp() override {
    LogTest::SetUp();
    capture_for_test(nullptr);
    configure({.format = Format::json, .file = pipe_.path().string(), .clock = &clock_});
  }
  void TearDown() override {
    configure({});
    static_cast<void>(pipe_.read_all());
    LogTest::TearDown();
  }
  std::string next_line() {
    pipe_.read_until([&](const std::string& line) { return lines_.assign({line}), true; });
    return lines_.back();
  }

  testing::TemporaryFolder folder_;
  testing::UnreadPipe pipe_{folder_ / "log"};
};

TEST_F(UnreadLogTest, NobodyWaitsForTheReaderWhoIsToldHowManyLinesWereDropped) {
  constexpr int kLines = 4000;
  for (int number = 0; number < kLines; ++number)
    write(Level::info, std::to_string(number), std::string(kFieldMax, 'x'));
  int kept = 0;
  for (std::string line = next_line(); field("event") != "log.lines_dropped"; line = next_line()) {
    ASSERT_EQ(field("event"), std::to_string(kept)) << line;
    ++kept;
  }
  EXPECT_EQ(field("message").find(std::to_string(kLines - kept) + " lines were dropped"), 0U) << line();
  EXPECT_GE(static_cast<std::size_t>(kept) * kFieldMax, kWaitingMax / 3);
  write(Level::info, "after", "");
  next_line();
  EXPECT_EQ(field("event"), "after");
}

TEST_F(UnreadLogTest, AChildDoesNotWriteItsParentsLines) {
  for (int number = 0; number < 10; ++number) write(Level::info, "parent", "");
  EXPECT_EQ(testing::in_child([&] {
              write(Level::info, "child", "");
              pipe_.make_room();
              finish();
              return 0;
            }),
            0);
  write(Level::info, "last", "");
  int parents = 0;
  bool is_child_there = false;
  for (next_line(); field("event") != "last"; next_line()) {
    if (field("event") == "parent") ++parents;
    if (field("event") == "child") is_child_there = true;
  }
  EXPECT_EQ(parents, 10);
  EXPECT_TRUE(is_child_there);
}

TEST_F(UnreadLogTest, FinishWaitsForTheReaderNoLongerThanItsBound) {
  write(Level::info, "waits", "");
  finish();
  next_line();
  EXPECT_EQ(field("event"), "waits");
}

TEST_F(UnreadLogTest, StandardErrorKeepsTheFlagsThatItSharesWithOthers) {
  const Descriptor before{::dup(STDERR_FILENO)};
  const Descriptor shared{::open(pipe_.path().c_str(), O_WRONLY | O_CLOEXEC)};
  ASSERT_EQ(::dup2(shared.number(), STDERR_FILENO), STDERR_FILENO);
  configure({.format = Format::json, .clock = &clock_});
  write(Level::info, "to stderr", "");
  const int flags = ::fcntl(STDERR_FILENO, F_GETFL);
  next_line();
  ::dup2(before.number(), STDERR_FILENO);
  EXPECT_EQ(flags & O_NONBLOCK, 0);
  EXPECT_EQ(field("event"), "to stderr");
}

// Of this process; -1 where it is not open.
int descriptor_of(const std::filesystem::path& file) {
  struct stat wanted {};
  struct stat status {};
  if (::stat(file.c_str(), &wanted) != 0) return -1;
  constexpr int kLooked = 256;
  for (int number = 0; number < kLooked; ++number)
    if (::fstat(number, &status) == 0 && status.st_ino == wanted.st_ino && status.st_dev == wanted.st_dev)
      return number;
  return -1;
}

TEST_F(LogTest, ALineNeverGoesToTheFileThatHasGotTheLogsNumber) {
  const testing::TemporaryFolder folder;
  capture_for_test(nullptr);
  configure({.format = Format::json, .file = (folder / "log").string()});
  const int number = descriptor_of(folder / "log");
  ASSERT_GE(number, 0);
  const Descriptor other{::open((folder / "other").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  ASSERT_EQ(::dup2(other.number(), number), number);
  write(Level::info, "first", "");
  EXPECT_EQ(lines_of(folder / "log").size(), 1U);
  EXPECT_EQ(std::filesystem::file_size(folder / "other"), 0U);
}

}  // namespace
}  // namespace tenure::log
