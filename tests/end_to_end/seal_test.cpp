#include "installation.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/system.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sstream>
#include <support/keys.hpp>
#include <sys/stat.h>
#include <unistd.h>

// Sealed jobs with real processes: keys that are missing, wrong or exchanged, and where a key must not be found.
namespace tenure::testing {
namespace {

using queue::ShownState;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// As somebody makes one: nothing that lies in memory by chance.
constexpr std::string_view kKey = "6b1f0c94e2a7385dbb40f19c7e5d62a830c4918fd7e6ab250f3c7189d4e2b65a";

std::string bytes_of(std::string_view digits) {
  std::string bytes;
  for (std::size_t at = 0; at < digits.size(); at += 2)
    bytes += static_cast<char>(std::stoi(std::string(digits.substr(at, 2)), nullptr, 16));
  return bytes;
}

std::string text_of_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// A range of a process's memory, as /proc/PID/smaps tells of it.
struct Range {
  std::uint64_t begin = 0, end = 0;
  bool is_dumped = true;  // a core file has it
};

std::vector<Range> ranges_of(pid_t pid) {
  std::vector<Range> ranges;
  std::istringstream lines(text_of_file("/proc/" + std::to_string(pid) + "/smaps"));
  for (std::string line; std::getline(lines, line);) {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    char dash = 0;
    std::istringstream words(line);
    if (words >> std::hex >> begin >> dash >> end && dash == '-') ranges.push_back({begin, end});
    else if (line.starts_with("VmFlags:") && (line + ' ').find(" dd ") != std::string::npos)
      ranges.back().is_dumped = false;
  }
  return ranges;
}

class SealTest : public Installation {
 protected:
  std::string key_file(const std::string& name, std::string_view text) {
    const auto file = folder_ / name;
    std::ofstream(file) << text << '\n';
    EXPECT_EQ(::chmod(file.c_str(), 0600), 0);
    return "file:" + file.string();
  }
  void configure_keys(const std::string& current, const std::string& previous = {}) {
    configure(
        {.more = "[security]\nseal_key = \"" + current + "\"\nseal_key_previous = \"" + previous + "\"\n"});
  }
  // What tenured says when it does not start.
  std::string refused_start() {
    const auto daemon = start_daemon(false);
    EXPECT_EQ(daemon->wait(), "exit 78") << daemon->output();
    return daemon->output();
  }
  static void end(Process& daemon) {
    daemon.signal(SIGTERM);
    EXPECT_EQ(daemon.wait(), "exit 0");
  }
};

TEST_F(SealTest, SEC_14_AMissingOrWrongKeyStopsTheStartAndNoJobIsLost) {
  const std::string right = key_file("right", kKey);
  configure_keys(right);
  auto daemon = start_daemon();
  const auto first = enqueue(Count{"first"});
  expect_state(first, ShownState::succeeded);
  end(*daemon);
  const auto waiting = enqueue(Count{"waiting"});

  configure_keys(key_file("wrong", key_text('1')));
  EXPECT_THAT(refused_start(), HasSubstr("another key than the one in force"));
  configure_keys("");
  EXPECT_THAT(refused_start(), HasSubstr("takes sealed jobs only"));
  configure_keys("file:" + (folder_ / "none").string());
  EXPECT_THAT(refused_start(), HasSubstr("cannot be opened"));
  configure_keys(right);
  ASSERT_EQ(::chmod((folder_ / "right").c_str(), 0644), 0);
  EXPECT_THAT(refused_start(), HasSubstr("chmod 600"));
  EXPECT_EQ(record(waiting).state, ShownState::ready);
  EXPECT_EQ(record(waiting).failures, 0);
  ASSERT_EQ(::chmod((folder_ / "right").c_str(), 0600), 0);
  daemon = start_daemon();
  expect_state(waiting, ShownState::succeeded);
  end(*daemon);
}

TEST_F(SealTest, SEC_14_AfterAnExchangeOfKeysOldJobsStillVerify) {
  const std::string old_key = key_file("old", kKey);
  const std::string new_key = key_file("new", key_text('2'));
  configure_keys(old_key);
  end(*start_daemon());
  const auto before = enqueue(Count{"before"});
  configure_keys(new_key);
  static_cast<void>(refused_start());
  configure_keys(new_key, old_key);
  const auto daemon = start_daemon();
  expect_state(before, ShownState::succeeded);
  // The application still has the old key, and the command line the new one.
  expect_state(enqueue(Count{"old"}), ShownState::succeeded);
  std::string output;
  EXPECT_EQ(run_command({"job", "enqueue", "test.count", R"({"name":"new"})", "--tenant", "acme"}, output),
            "exit 0")
      << output;
  EXPECT_TRUE(wait_until([&] { return runs_of("new") == 1; }));
  end(*daemon);
}

TEST_F(SealTest, SEC_01_AJobThatWasEditedInTheStoreIsDeadBeforeItsHandler) {
  configure_keys(key_file("key", kKey));
  end(*start_daemon());
  const auto edited = enqueue(Count{"mine"});
  const auto other = enqueue(Count{"other"});
  sqlite::Connection(control(), {})
      .execute(
          {"edit",
           "update job set envelope = cast(replace(cast(envelope as text), 'mine', 'evil') as blob) where "
           "instr(cast(envelope as text), 'mine') > 0"});
  const auto daemon = start_daemon();
  expect_state(edited, ShownState::dead);
  expect_state(other, ShownState::succeeded);
  ASSERT_EQ(attempts(edited).size(), 1U);
  EXPECT_EQ(attempts(edited).front().error_code, ErrorCode::bad_seal);
  EXPECT_EQ(record(edited).reason, queue::JobReason::permanent_error);
  EXPECT_EQ(runs_of("evil"), 0);
  EXPECT_THAT(daemon->output(), HasSubstr("BadSeal"));
  EXPECT_THAT(refusals(),
              ElementsAre(HasSubstr("id=" + edited.text() + " tenant=acme 1 BadSeal: WrongSeal")));
  end(*daemon);
}

TEST_F(SealTest, AWorkerProgramByHandHasTheKeyFromItsConfiguration) {
  configure_keys(key_file("key", kKey));
  const auto alone = start_alone();
  expect_state(enqueue(Count{"alone"}), ShownState::succeeded);
  end(*alone);
  configure_keys(key_file("wrong", key_text('1')));
  const auto refused = start_alone();
  EXPECT_EQ(refused->wait(), "exit 78") << refused->output();
}

// A core file has what the kernel does not mark `dd`; so it is searched as gdb or the kernel would write it.
TEST_F(SealTest, SEC_09_AKeyIsInNoArgumentVariableOutputOrCore) {
  configure({.more = "[log]\nlevel = \"debug\"\n[security]\nseal_key = \"" + key_file("key", kKey) + "\"\n"});
  const auto daemon = start_daemon();
  expect_state(enqueue(Count{"sealed"}), ShownState::succeeded);
  static_cast<void>(enqueue(Wait{.name = "core"}));
  const pid_t worker = wait_for_start_of("core");
  const std::string bytes = bytes_of(kKey);
  // Halves too: what a processor had in its registers may lie on a stack.
  const std::vector<std::string> needles{std::string(kKey), bytes.substr(0, 16), bytes.substr(16)};
  const auto has_key = [&](const std::string& text) {
    return std::ranges::any_of(
        needles, [&](const std::string& needle) { return text.find(needle) != std::string::npos; });
  };
  for (const pid_t pid : {daemon->pid(), worker}) {
    const std::string proc = "/proc/" + std::to_string(pid);
    EXPECT_FALSE(has_key(text_of_file(proc + "/cmdline")));
    EXPECT_FALSE(has_key(text_of_file(proc + "/environ")));
    const Descriptor memory{::open((proc + "/mem").c_str(), O_RDONLY | O_CLOEXEC)};
    ASSERT_TRUE(memory.is_open());
    int kept = 0;
    for (const Range& range : ranges_of(pid)) {
      constexpr std::uint64_t kShadowOfSanitizers = 1UL << 30U;
      if (range.end - range.begin >= kShadowOfSanitizers) continue;
      std::string content(range.end - range.begin, '\0');
      // What may not be read is in no core either.
      if (::pread(memory.number(), content.data(), content.size(), static_cast<off_t>(range.begin)) <= 0)
        continue;
      if (!has_key(content)) continue;
      EXPECT_FALSE(range.is_dumped) << std::hex << range.begin;
      ++kept;
    }
    EXPECT_GE(kept, 1) << "where the key is, it is found";
  }
  std::string output;
  EXPECT_EQ(run_command({"job", "enqueue", "test.count", "{}", "--tenant", "acme"}, output), "exit 0")
      << output;
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"config", "show"}, {"config", "check"}, {"doctor"}, {"worker", "list"}})
    static_cast<void>(run_command(words, output));
  let_go("core");
  end(*daemon);
  EXPECT_FALSE(has_key(output + daemon->output())) << output;
}

}  // namespace
}  // namespace tenure::testing
