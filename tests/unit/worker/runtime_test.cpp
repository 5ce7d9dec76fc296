#include <tenure/base/passed_descriptor.hpp>
#include <tenure/daemon/frames.hpp>
#include <tenure/daemon/worker_runtime.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <cereal/cereal.hpp>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <future>
#include <latch>
#include <optional>
#include <stdexcept>
#include <string>
#include <support/in_child.hpp>
#include <support/temporary_folder.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tenure::daemon {
namespace {

using queue::Incarnation;
using queue::JobSeq;
using queue::RunResult;

struct Echo {
  static constexpr std::string_view kind = "test.echo";
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

// The daemon's end of the socket, played by the test.
class Daemon {
 public:
  explicit Daemon(int descriptor) : descriptor_(descriptor) {
    const timeval bound{.tv_sec = 60, .tv_usec = 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  }
  ~Daemon() { hang_up(); }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  void send(const Frame& frame) {
    std::string bytes;
    write_frame(bytes, frame);
    ASSERT_EQ(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  void send_with(int descriptor, const Frame& frame) {
    std::string bytes;
    write_frame(bytes, frame);
    ASSERT_EQ(send_with_descriptor(descriptor_, bytes, descriptor).size, bytes.size());
  }
  // Nothing once the worker has closed its end.
  std::optional<Frame> receive() {
    while (true) {
      auto frame = reader_.next();
      if (!frame) return std::nullopt;
      if (*frame) return **frame;
      std::array<char, 4096> buffer{};
      const auto size = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
      if (size <= 0) return std::nullopt;
      reader_.feed({buffer.data(), static_cast<std::size_t>(size)});
    }
  }
  template <class T>
  T expect() {
    auto frame = receive();
    if (!frame || !std::holds_alternative<T>(*frame)) throw std::runtime_error("another frame was expected");
    return std::get<T>(*frame);
  }
  void hang_up() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_;
  FrameReader reader_;
};

class RuntimeTest : public ::testing::Test {
 protected:
  // `lock` comes beside the welcome, if it is open.
  void start(std::uint16_t slots, Descriptor lock = {}) {
    std::array<int, 2> pair{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    daemon_.emplace(pair[0]);
    drained_ =
        std::async(std::launch::async, [this, theirs = pair[1]] { return run_worker(theirs, setup_); });
    const auto hello = daemon_->expect<HelloFrame>();
    ASSERT_EQ(hello.kinds.size(), jobs_.kinds().size());
    if (lock.is_open()) daemon_->send_with(lock.number(), WelcomeFrame{.slots = slots});
    else daemon_->send(WelcomeFrame{.slots = slots});
  }
  void TearDown() override {
    if (daemon_) daemon_->hang_up();
    if (drained_.valid()) drained_.wait();
  }

  AssignFrame job(std::int64_t seq, std::string_view kind = Echo::kind,
                  std::string arguments = R"({"number":1})") {
    const queue::JobId id{ids_.next(clock_.wall())};
    return {.job = {.claim = {JobSeq{seq}, {Incarnation{1}, seq}},
                    .id = id,
                    .tenant = {},
                    .kind = std::string{kind},
                    .envelope = queue::write_envelope({.id = id,
                                                       .tenant = {},
                                                       .generation = {},
                                                       .kind = std::string{kind},
                                                       .arguments = std::move(arguments)})}};
  }

  testing::TemporaryFolder folder_;
  VirtualClock clock_;
  UuidGenerator ids_{1};
  JobRegistry jobs_;
  HandleCache handles_{TenantFiles{(folder_.path() / "%{tenant}.db").string()}, {}};
  WorkerSetup setup_{.jobs = jobs_,
                     .handles = handles_,
                     .clock = clock_,
                     .performing = {.application = "test"},
                     .program_version = "1"};
  std::optional<Daemon> daemon_;
  std::future<bool> drained_;
};

// In a child, since it is kept for the whole life of a process.
TEST_F(RuntimeTest, KeepsTheLockThatComesBesideTheWelcomeUntilTheProcessEnds) {
  const auto open_lock = [&] {
    return Descriptor{::open((folder_ / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)};
  };
  jobs_.add<Echo>([](const Echo&, JobContext&) {});
  const Descriptor next = open_lock();
  const int in_life = testing::in_child([&] {
    Descriptor lock = open_lock();
    if (lock_file(lock.number(), WhenLocked::give_up) != 0) return 1;
    start(1, std::move(lock));
    daemon_->send(job(7));
    static_cast<void>(daemon_->expect<FinishedFrame>());
    if (lock_file(open_lock().number(), WhenLocked::give_up) != EWOULDBLOCK) return 2;
    daemon_->hang_up();
    drained_.wait();
    return lock_file(open_lock().number(), WhenLocked::give_up) == EWOULDBLOCK ? 0 : 3;
  });
  EXPECT_EQ(in_life, 0);
  EXPECT_EQ(lock_file(next.number(), WhenLocked::give_up), 0);
}

TEST_F(RuntimeTest, PerformsWhatItIsAssignedAndReportsIt) {
  int seen = 0;
  jobs_.add<Echo>([&](const Echo& echo, JobContext&) { seen = echo.number; });
  start(1);
  daemon_->send(job(7, Echo::kind, R"({"number":42})"));
  const auto finished = daemon_->expect<FinishedFrame>();
  EXPECT_EQ(finished.end.claim, (queue::ClaimRef{JobSeq{7}, {Incarnation{1}, 7}}));
  EXPECT_EQ(finished.end.result, RunResult::succeeded);
  EXPECT_EQ(seen, 42);
}

TEST_F(RuntimeTest, RUN_09_WhateverAHandlerThrowsIsAFailureWithItsName) {
  jobs_.add<Echo>([](const Echo& echo, JobContext&) {
    if (echo.number == 1) throw 42;
    throw std::runtime_error("no answer");
  });
  start(1);
  daemon_->send(job(1));
  const auto number = daemon_->expect<FinishedFrame>();
  EXPECT_EQ(number.end.result, RunResult::failed);
  EXPECT_EQ(number.end.failure.code, ErrorCode::handler_failed);
  EXPECT_NE(number.end.failure.error.find("int"), std::string::npos);
  daemon_->send(job(2, Echo::kind, R"({"number":2})"));
  EXPECT_EQ(daemon_->expect<FinishedFrame>().end.failure.error, "std::runtime_error: no answer");
}

// However short it is: the clock of this test does not move.
TEST_F(RuntimeTest, UmaskAndWorkingFolderArePutBackAfterEachJob) {
  const auto surroundings = [] {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return std::pair{mask, std::filesystem::current_path()};
  };
  const auto before = surroundings();
  jobs_.add<Echo>([](const Echo&, JobContext&) {
    ::umask(0);
    std::filesystem::current_path("/");
  });
  start(1);
  for (std::int64_t seq = 1; seq <= 3; ++seq) {
    daemon_->send(job(seq));
    EXPECT_EQ(daemon_->expect<FinishedFrame>().end.result, RunResult::succeeded);
    EXPECT_EQ(surroundings(), before) << "job " << seq;
  }
}

TEST_F(RuntimeTest, SER_06_AnUndecodablePayloadFailsWithItsPathAndTheSlotGoesOn) {
  jobs_.add<Echo>([](const Echo&, JobContext&) {});
  start(1);
  daemon_->send(job(1, Echo::kind, R"({"number":"x"})"));
  const auto failed = daemon_->expect<FinishedFrame>();
  EXPECT_EQ(failed.end.failure.code, ErrorCode::bad_payload);
  EXPECT_NE(failed.end.failure.error.find("$.number"), std::string::npos) << failed.end.failure.error;
  daemon_->send(job(2));
  EXPECT_EQ(daemon_->expect<FinishedFrame>().end.result, RunResult::succeeded);
}

TEST_F(RuntimeTest, RUN_13_WhatARunTellsIsSentWhileItGoesOnAndTheLastOfItBeforeItsEnd) {
  std::latch released{1};
  jobs_.add<Echo>([&](const Echo&, JobContext& context) {
    EXPECT_EQ(context.cursor(), "before");
    context.progress(1, 3, "first");
    released.wait();
    for (int i = 0; i < 100'000; ++i) context.progress(2, 3, "many");
    context.checkpoint("last");
  });
  start(1);
  AssignFrame assigned = job(1);
  assigned.job.cursor = "before";
  daemon_->send(assigned);
  const auto first = daemon_->expect<ProgressFrame>();
  EXPECT_EQ(first.news.claim, assigned.job.claim);
  EXPECT_EQ(first.news.progress, (queue::Progress{1, 3, "first"}));
  released.count_down();
  std::vector<Frame> frames;
  do {
    frames.push_back(*daemon_->receive());
  } while (!std::holds_alternative<FinishedFrame>(frames.back()));
  ASSERT_GE(frames.size(), 2U);
  std::string cursor;
  for (const Frame& frame : frames)
    if (const auto* progress = std::get_if<ProgressFrame>(&frame); progress && !progress->news.cursor.empty())
      cursor = progress->news.cursor;
  EXPECT_EQ(cursor, "last");
}

TEST_F(RuntimeTest, RunsAsManyJobsAtOnceAsThereAreSlots) {
  std::latch all_running{3};
  jobs_.add<Echo>([&](const Echo&, JobContext&) { all_running.arrive_and_wait(); });
  start(3);
  for (std::int64_t seq = 1; seq <= 3; ++seq) daemon_->send(job(seq));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(daemon_->expect<FinishedFrame>().end.result, RunResult::succeeded);
}

TEST_F(RuntimeTest, PingsAreAnsweredWhileAllSlotsAreBusy) {
  std::latch started{1};
  std::latch released{1};
  jobs_.add<Echo>([&](const Echo&, JobContext&) {
    started.count_down();
    released.wait();
  });
  start(1);
  daemon_->send(job(1));
  started.wait();
  daemon_->send(PingFrame{});
  daemon_->expect<PongFrame>();
  released.count_down();
  daemon_->expect<FinishedFrame>();
}

TEST_F(RuntimeTest, STP_01_ADrainGivesBackWhatHasNotStartedAndWaitsForTheRest) {
  std::latch started{1};
  std::latch released{1};
  jobs_.add<Echo>([&](const Echo&, JobContext&) {
    started.count_down();
    released.wait();
  });
  start(1);
  daemon_->send(job(1));
  started.wait();
  daemon_->send(job(2));
  daemon_->send(DrainFrame{});
  const auto returned = daemon_->expect<FinishedFrame>();
  EXPECT_EQ(returned.end.claim.seq, JobSeq{2});
  EXPECT_EQ(returned.end.result, RunResult::not_started);
  released.count_down();
  EXPECT_EQ(daemon_->expect<FinishedFrame>().end.claim.seq, JobSeq{1});
  EXPECT_FALSE(daemon_->receive()) << "it leaves by itself";
  EXPECT_TRUE(drained_.get());
}

TEST_F(RuntimeTest, STP_02_TheStopTokenReachesARunningHandler) {
  std::latch started{1};
  jobs_.add<Echo>([&](const Echo&, JobContext& context) {
    std::latch stopped{1};
    const std::stop_callback on_stop(context.stop_token(), [&] { stopped.count_down(); });
    started.count_down();
    stopped.wait();
    throw std::runtime_error("stopping");
  });
  start(1);
  daemon_->send(job(1));
  started.wait();
  daemon_->send(StopTokenFrame{});
  const auto finished = daemon_->expect<FinishedFrame>();
  EXPECT_EQ(finished.end.failure.error, "std::runtime_error: stopping");
  EXPECT_EQ(finished.end.failure.code, ErrorCode::interrupted) << "obeying is no failure";
}

TEST_F(RuntimeTest, CLM_25_ARecalledJobComesBackUnstarted) {
  std::latch started{1};
  std::latch released{1};
  jobs_.add<Echo>([&](const Echo&, JobContext&) {
    started.count_down();
    released.wait();
  });
  start(1);
  daemon_->send(job(1));
  started.wait();
  const AssignFrame ahead = job(2);
  daemon_->send(ahead);
  daemon_->send(RecallFrame{ahead.job.claim});
  const auto returned = daemon_->expect<FinishedFrame>();
  EXPECT_EQ(returned.end.claim.seq, JobSeq{2});
  EXPECT_EQ(returned.end.result, RunResult::not_started);
  released.count_down();
  EXPECT_EQ(daemon_->expect<FinishedFrame>().end.claim.seq, JobSeq{1});
}

TEST_F(RuntimeTest, LSE_17_LeavesWhenTheDaemonIsGone) {
  jobs_.add<Echo>([](const Echo&, JobContext&) {});
  start(1);
  daemon_->hang_up();
  EXPECT_FALSE(drained_.get());
}

TEST_F(RuntimeTest, RUN_16_LeavesWhenItIsRefused) {
  jobs_.add<Echo>([](const Echo&, JobContext&) {});
  start(1);
  daemon_->send(RefusedFrame{"too old"});
  EXPECT_FALSE(daemon_->receive());
  EXPECT_FALSE(drained_.get());
}

}  // namespace
}  // namespace tenure::daemon
