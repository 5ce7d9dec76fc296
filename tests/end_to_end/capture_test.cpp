#include "installation.hpp"

#include <tenure/replay/capsule.hpp>

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <vector>

// Runs that operators want captured, from the command line through tenured and a worker process into a file.
namespace tenure::testing {
namespace {

using queue::ShownState;
using ::testing::HasSubstr;
using ::testing::Not;

class CaptureTest : public Installation {
 protected:
  // Enqueued for later, so that a capture can be asked for before it runs.
  template <class Job>
  queue::JobId enqueue_for_later(const Job& job) {
    return enqueue(job, {.run_in = std::chrono::hours{1}});
  }
  void run_now(queue::JobId job) { EXPECT_EQ(tenure({"job", "run", job.text()}), "exit 0") << output_; }
  void wait_for_failure_of(queue::JobId job) {
    EXPECT_TRUE(wait_until([&] { return record(job).failures == 1; }));
  }
  [[nodiscard]] std::vector<std::filesystem::path> capsules() const {
    std::vector<std::filesystem::path> files;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator{folder_ / "capsules", error})
      files.push_back(entry.path());
    return files;
  }
  static unsigned mode_of(const std::filesystem::path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  }
  std::int64_t open_requests() {
    std::int64_t open = 0;
    store().read([&](queue::JobReader& reader) { open = std::ssize(reader.captures()); });
    return open;
  }
};

TEST_F(CaptureTest, RPL_11_OfAJobThatFailsTheTenantIsKeptAsItWasBeforeAndOfOneThatSucceedsNothing) {
  configure();
  const auto daemon = start_daemon();
  const auto quiet = enqueue_for_later(Count{"succeeds"});
  const auto job = enqueue_for_later(Falter{"fails"});
  for (const queue::JobId id : {quiet, job})
    EXPECT_EQ(tenure({"replay", "capture", id.text()}), "exit 0") << output_;
  run_now(quiet);
  expect_state(quiet, ShownState::succeeded);
  EXPECT_TRUE(capsules().empty());
  run_now(job);
  wait_for_failure_of(job);
  EXPECT_EQ(runs_of("fails"), 1) << "what it has written is there";
  const auto files = capsules();
  ASSERT_EQ(files.size(), 1U) << daemon->output();
  EXPECT_EQ(mode_of(files[0]), 0600U);
  // A folder's bit that hands its group down may be inherited.
  EXPECT_EQ(mode_of(files[0].parent_path()) & 0777U, 0700U);

  const replay::Capsule capsule = replay::read_capsule(files[0]);
  EXPECT_EQ(capsule.head.job.id, job);
  ASSERT_EQ(capsule.run.changes.size(), 1U);
  EXPECT_EQ(capsule.run.changes[0].table, "run");
  const TenantFiles scratch{(folder_.path() / "scratch/%{tenant}.db").string()};
  replay::restore_tenant(files[0], scratch);
  HandleCache handles{scratch, {.application = capsule.head.application}};
  const int before = with_tenant("acme", [&] {
    HandleLease lease = value_or_raise(
        handles.acquire(TenantName{"acme"}, capsule.head.job.generation, HandleAccess::read_only));
    return lease->read([&](TenantReader& reader) {
      auto rows = reader.query("select count(*) from run where name = 'fails'");
      rows.next();
      return static_cast<int>(rows.row().integer(0));
    });
  });
  EXPECT_EQ(before, 0);
}

TEST_F(CaptureTest, WhatAKilledProcessHasLeftOfACapsuleGoesAsAWorkerStarts) {
  configure();
  std::filesystem::create_directory(folder_ / "capsules");
  for (const char* name : {".left.copy", ".left.part", "kept.capsule"})
    std::ofstream(folder_ / "capsules" / name) << "the tenant's";
  const auto daemon = start_daemon();
  EXPECT_TRUE(wait_until([&] { return capsules().size() == 1; })) << daemon->output();
}

TEST_F(CaptureTest, RPL_12_IsAskedForByJobKindOrTenantWithinItsSizeForItsOwnerOnly) {
  configure();
  auto daemon = start_daemon();
  const auto job = enqueue_for_later(Falter{"one"});
  EXPECT_EQ(tenure({"replay", "capture", job.text(), "--reason", "ticket 4711"}), "exit 0") << output_;
  run_now(job);
  wait_for_failure_of(job);
  EXPECT_EQ(open_requests(), 0);
  ASSERT_EQ(capsules().size(), 1U) << daemon->output();
  const std::string name = capsules()[0].filename();
  EXPECT_EQ(mode_of(capsules()[0]), 0600U);
  EXPECT_EQ(tenure({"replay", "list", "--columns", "file,job,kind,tenant,outcome"}), "exit 0") << output_;
  EXPECT_THAT(output_, HasSubstr(name));
  EXPECT_THAT(output_, HasSubstr("test.falter"));
  EXPECT_THAT(output_, HasSubstr("HandlerFailed"));
  EXPECT_EQ(tenure({"replay", "show", name}), "exit 0") << output_;
  EXPECT_THAT(output_, HasSubstr("run inserted"));
  EXPECT_EQ(tenure({"job", "show", job.text()}), "exit 0") << output_;
  EXPECT_THAT(output_, HasSubstr("capsule    " + name));
  EXPECT_THAT(daemon->output(), HasSubstr("capsule.taken"));

  // A kind's request is not met by what succeeds, and the tenant's takes what does.
  EXPECT_EQ(tenure({"replay", "capture", "--kind", "test.falter", "--count", "1"}), "exit 0") << output_;
  EXPECT_EQ(tenure({"replay", "capture", "--tenant", "acme", "--on", "success", "--count", "1"}), "exit 0")
      << output_;
  const auto counted = enqueue(Count{"counted"});
  expect_state(counted, ShownState::succeeded);
  EXPECT_TRUE(wait_until([&] { return capsules().size() == 2; })) << daemon->output();
  const auto again = enqueue(Falter{"two"});
  wait_for_failure_of(again);
  EXPECT_EQ(capsules().size(), 3U);
  EXPECT_EQ(open_requests(), 0);

  daemon->signal(SIGTERM);
  EXPECT_EQ(daemon->wait(), "exit 0");
  configure({.more = "[replay]\ncapsule_max = \"1MiB\"\nfolder_max = \"1MiB\"\n"});
  daemon = start_daemon();
  // Two of the three, at least, are beyond it with one more.
  for (int each = 0; each < 40 && capsules().size() < 50; ++each) {
    EXPECT_EQ(tenure({"replay", "capture", "--tenant", "acme", "--on", "any", "--count", "1"}), "exit 0")
        << output_;
    expect_state(enqueue(Count{"full-" + std::to_string(each)}), ShownState::succeeded);
    EXPECT_TRUE(wait_until([&] { return open_requests() == 0; })) << daemon->output();
    if (daemon->output().find("capsule.failed") != std::string::npos) break;
  }
  EXPECT_THAT(daemon->output(), HasSubstr("LimitReached"));
  EXPECT_EQ(tenure({"doctor", "captures"}), "exit 0") << output_;
  EXPECT_THAT(output_, HasSubstr("could not be"));
}

}  // namespace
}  // namespace tenure::testing
