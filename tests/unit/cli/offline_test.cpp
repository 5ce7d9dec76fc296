#include "commands.hpp"
#include "file_program.hpp"

#include <fstream>
#include <iterator>
#include <map>

// A copy of the control database, made and looked at.
namespace tenure::cli {
namespace {

const std::string kFanOutOfCopy = "019cadff-0000-7000-8000-0000000000f1";

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Offline : public FileProgram {
 protected:
  Offline() {
    add_tenant("acme");
    add_job(1, "acme", "billing.close");
    die(1);
    add_job(2, "acme", "billing.close", "{}", std::chrono::hours(1));
    add_job(3, "none", "house.keeping");
    open_batch("acme");
    EXPECT_EQ(run({"fan-out", "start", "billing.close", "--id", kFanOutOfCopy}), 0) << output.error;
    EXPECT_EQ(run({"schedule", "add", "nightly", "billing.close", "--every", "1h"}), 0) << output.error;
    EXPECT_EQ(run({"limit", "set", "closes", "3", "--kind", "billing.*"}), 0) << output.error;
    EXPECT_EQ(run({"store", "backup", copy.string()}), 0) << output.error;
    // No daemon, no tenants' files, and nobody may write here.
    store.reset();
    environment.look_at_store = [](const std::filesystem::path&) -> std::shared_ptr<queue::ReadableStore> {
      throw std::runtime_error("the live store was looked at");
    };
    environment.open_store = [](const queue::SqliteStoreOptions&) -> std::shared_ptr<queue::Store> {
      throw std::runtime_error("the live store was opened");
    };
    permit(std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    clock.advance(std::chrono::hours(30 * 24));
  }
  ~Offline() override { permit(std::filesystem::perms::owner_all); }
  void permit(std::filesystem::perms perms) { std::filesystem::permissions(copies.path(), perms); }

  int run_offline(std::vector<std::string> words) {
    words.insert(words.end(), {"--store", copy.string(), "--offline"});
    return run(words);
  }
  std::string bytes() const {
    std::ifstream file(copy, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(copies.path()), {}));
  }

  testing::TemporaryFolder copies;
  std::filesystem::path copy = copies / "copy.db";
};

// From the table of verbs, so that none can be forgotten.
TEST_F(Offline, CLI_03_EveryVerbThatReadsWorksOnACopyAndLeavesItsBytesEqual) {
  const std::map<std::string_view, std::vector<std::string>> arguments{
      {"job show", {job_id(1).text()}},  {"job why", {job_id(1).text()}},
      {"tenant show", {"acme"}},         {"queue show", {"default"}},
      {"kind show", {"billing.close"}},  {"schedule show", {"nightly"}},
      {"schedule preview", {"nightly"}}, {"batch show", {batch_id().text()}},
      {"fan-out show", {kFanOutOfCopy}}, {"fan-out tenants", {kFanOutOfCopy}},
      {"limit show", {"closes"}},        {"tenant reconcile", {"acme"}}};
  const std::string before = bytes();
  int tried = 0;
  for (const Verb& verb : verbs()) {
    if (!can_look_at_copies(verb) || changes_something(verb, {})) continue;
    const std::string name = std::string(verb.noun) + ' ' + std::string(verb.name);
    SCOPED_TRACE(name);
    std::vector<std::string> words{std::string(verb.noun), std::string(verb.name)};
    if (const auto found = arguments.find(name); found != arguments.end())
      words.insert(words.end(), found->second.begin(), found->second.end());
    else ASSERT_EQ(verb.words_min, 0U) << "say here what it can be tried with";
    EXPECT_EQ(run_offline(words), 0) << output.error << output.out;
    EXPECT_THAT(output.error, HasSubstr("as of 2026-03-02T10:14:02.500000Z"));
    words.emplace_back("--json");
    EXPECT_EQ(run_offline(words), 0) << output.error;
    EXPECT_TRUE(output.out.starts_with("{\"as_of\":\"2026-03-02T10:14:02.500000Z\",\"schema\":\"tenure."))
        << output.out;
    EXPECT_EQ(output.error, "");
    ++tried;
  }
  EXPECT_GE(tried, 16);
  EXPECT_TRUE(bytes() == before);
  EXPECT_EQ(files(), 1U);
}

TEST_F(Offline, WhatChangesIsRefusedBeforeAnythingIsAsked) {
  const std::string before = bytes();
  const CommandLine always{.words = {}, .options = {{"fix", ""}}};
  for (const Verb& verb : verbs()) {
    if (!changes_something(verb, always)) continue;
    SCOPED_TRACE(verb.name);
    std::vector<std::string> words{std::string(verb.noun), std::string(verb.name)};
    for (std::size_t i = 0; i < verb.words_min; ++i) words.push_back(job_id(1).text());
    if (takes(verb, "fix")) words.emplace_back("--fix");
    EXPECT_EQ(run_offline(words), 2);
    EXPECT_THAT(output.error, HasSubstr("--offline looks at a copy, which stays as it is"));
  }
  EXPECT_TRUE(bytes() == before);
}

TEST_F(Offline, TheTimeIsThatOfTheCopyOrAsItIsTold) {
  EXPECT_EQ(run_offline({"job", "count", "age=..1h"}), 0);
  EXPECT_EQ(output.out, "3\n");
  EXPECT_EQ(run_offline({"job", "count", "age=..1h", "--now", "2026-03-02T12:00:00Z"}), 0);
  EXPECT_EQ(output.out, "0\n");
  EXPECT_EQ(output.error, "as of 2026-03-02T10:14:02.500000Z, as if it were 2026-03-02T12:00:00Z\n");
  EXPECT_EQ(run_offline({"job", "count", "--now", "2026-03-02T12:00:00Z", "--json"}), 0);
  EXPECT_TRUE(output.out.starts_with(
      "{\"as_of\":\"2026-03-02T10:14:02.500000Z\",\"now\":\"2026-03-02T12:00:00Z\",\"schema\":"))
      << output.out;
  EXPECT_EQ(run_offline({"job", "count", "age=..1h", "--now", "+10m", "--quiet"}), 0);
  EXPECT_EQ(output.out, "3\n");
  EXPECT_EQ(output.error, "");
}

TEST_F(Offline, OptionsThatDoNotGoWithItAreRefused) {
  EXPECT_EQ(run_offline({"job", "list", "--now", "soon"}), 2);
  EXPECT_THAT(output.error, HasSubstr("--now soon is no time like 2026-03-02T10:14:00Z"));
  for (const char* no_point : {"..2026-03-02", "2026-03-02..", "2026-03-02..2026-03-03", "now,-1h"}) {
    EXPECT_EQ(run_offline({"job", "list", "--now", no_point}), 2) << no_point;
    EXPECT_THAT(output.error, HasSubstr("is no time like"));
  }
  EXPECT_EQ(run({"job", "list", "--offline"}), 2);
  EXPECT_THAT(output.error, HasSubstr("the copy that --store names"));
  EXPECT_EQ(run({"job", "list", "--now", "2026-03-02", "--store", copy.string()}), 2);
  EXPECT_THAT(output.error, HasSubstr("--now is for a copy"));
  EXPECT_EQ(run_offline({"config", "show"}), 2);
  EXPECT_EQ(run_offline({"worker", "list"}), 2);
  EXPECT_EQ(run_offline({"job", "tail"}), 2);
  EXPECT_EQ(run_offline({"store", "doctor", "stamps"}), 2);
}

TEST_F(Offline, ACopyThatIsMissingIsNotMade) {
  EXPECT_EQ(run({"job", "list", "--offline", "--store", (folder / "none.db").string()}), 69);
  EXPECT_FALSE(std::filesystem::exists(folder / "none.db"));
}

class Backup : public FileProgram {
 protected:
  std::vector<std::string> subjects() {
    std::vector<std::string> list;
    store->read([&](queue::JobReader& reader) {
      reader.for_each_audit(std::nullopt, [&](const queue::AuditRecord& record) {
        list.push_back(record.entry.verb + ": " + record.entry.subject);
        return true;
      });
    });
    return list;
  }
  std::string target = (folder / "copy.db").string();
};

TEST_F(Backup, SaysWhereTheCopyIsAndRecordsThatThereIsOne) {
  EXPECT_EQ(run({"store", "backup", target}), 0) << output.error;
  const std::string bytes = std::to_string(std::filesystem::file_size(target));
  EXPECT_EQ(output.out, "copied to " + target + ", " + bytes + "\n");
  EXPECT_EQ(subjects(),
            (std::vector<std::string>{"store backup: " + target + ", complete, " + bytes + " bytes",
                                      "store backup: " + target + ", begun"}));
  // The copy knows of itself.
  EXPECT_EQ(run({"store", "audit", "--store", target, "--offline", "--columns", "subject"}), 0);
  EXPECT_THAT(output.out, HasSubstr(", begun"));
  EXPECT_EQ(run({"store", "backup", target + "2", "--json"}), 0);
  EXPECT_EQ(output.out, "{\"schema\":\"tenure.store.backup/1\",\"item\":{\"path\":\"" + target +
                            "2\",\"size_bytes\":" + std::to_string(std::filesystem::file_size(target + "2")) +
                            ",\"recorded\":true}}\n");
}

TEST_F(Backup, ThatCannotBeRecordedAsCompleteIsMadeAllTheSame) {
  environment.copy_store = [this](const std::filesystem::path& control, const std::filesystem::path& to,
                                  FunctionRef<void(const queue::CopyProgress&)> progress) {
    const std::int64_t bytes = queue::copy_control_database(control, to, clock, progress);
    execute(
        "create trigger no_more before insert on audit begin select raise(abort, 'no more records'); end");
    return bytes;
  };
  EXPECT_EQ(run({"store", "backup", target}), 0);
  EXPECT_TRUE(output.out.starts_with("copied to " + target)) << output.out;
  EXPECT_THAT(output.error, HasSubstr("warning: the copy is whole, but no audit record says"));
  EXPECT_THAT(output.error, HasSubstr("no more records"));
  EXPECT_EQ(subjects(), (std::vector<std::string>{"store backup: " + target + ", begun"}));
  execute("drop trigger no_more");
  EXPECT_EQ(run({"store", "backup", target + "2", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr("\"recorded\":false"));
  EXPECT_EQ(output.error, "");
}

TEST_F(Backup, OverwritesNothingAndMakesNoFolder) {
  std::ofstream(target) << "precious";
  EXPECT_EQ(run({"store", "backup", target}), 1);
  EXPECT_THAT(output.error, StartsWith("tenure: FileExists: " + target + " is there already"));
  EXPECT_EQ(std::filesystem::file_size(target), 8U);
  EXPECT_EQ(run({"store", "backup", folder / "none/copy.db"}), 1);
  EXPECT_THAT(output.error,
              StartsWith("tenure: FolderMissing: there is no folder " + (folder / "none").string()));
  EXPECT_EQ(subjects(), std::vector<std::string>{}) << "nothing was begun";
}

TEST_F(Backup, OnATerminalABarShowsHowFarItIs) {
  on_terminal(80);
  for (int i = 1; i <= 400; ++i) add_job(i, "none", "billing.close", '"' + std::string(4000, 'x') + '"');
  environment.copy_store = [this](const std::filesystem::path& control, const std::filesystem::path& to,
                                  FunctionRef<void(const queue::CopyProgress&)> progress) {
    return queue::copy_control_database(control, to, clock, [&](const queue::CopyProgress& so_far) {
      clock.advance(std::chrono::milliseconds(100));
      progress(so_far);
    });
  };
  EXPECT_EQ(run({"store", "backup", target, "--color", "never"}), 0);
  EXPECT_THAT(output.error, HasSubstr("/s   about "));
  EXPECT_THAT(output.error, HasSubstr("[####################]"));
}

}  // namespace
}  // namespace tenure::cli
