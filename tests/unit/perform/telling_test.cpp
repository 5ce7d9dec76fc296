#include "bookkeeping.hpp"

#include <tenure/base/log.hpp>

#include <stdexcept>
#include <string_view>
#include <support/in_child.hpp>
#include <utility>

// Progress and cursor, as a handler tells them.
namespace tenure::testing {
namespace {

using namespace std::chrono_literals;

// What a handler tells in one run of a job that had saved `cursor` before.
class Telling : public Bookkeeping {
 protected:
  using Handler = std::function<void(JobContext&)>;
  std::optional<queue::AttemptFailure> run(const Handler& handler, const std::string& cursor = "",
                                           const queue::StopSignal& stop = {}) {
    JobRegistry jobs;
    jobs.add<PayInvoice>([&](const PayInvoice&, JobContext& context) { handler(context); });
    Performer performer{jobs, handles_, clock_, {.application = "books"}};
    with_tenant("acme", [&] { client_.enqueue(PayInvoice{invoice_of("acme")}); });
    queue::ClaimedJob job = claim();
    job.cursor = cursor;
    queue::RunNotes notes{{job.seq, job.token}, [&] { ++firsts_; }};
    const auto outcome = perform_by(performer, job, stop, {}, notes);
    told_ = notes.take();
    return outcome;
  }
  int firsts_ = 0;
  std::optional<queue::RunNews> told_;
};

TEST_F(Telling, RUN_13_TheLatestProgressAndCursorAreToldHoweverOftenTheyAre) {
  EXPECT_EQ(run(
                [](JobContext& context) {
                  EXPECT_EQ(context.cursor(), "40");
                  for (int i = 41; i <= 1000; ++i) {
                    context.progress(i, 1000, "importing");
                    context.checkpoint(std::to_string(i));
                  }
                  EXPECT_EQ(context.cursor(), "1000");
                },
                "40"),
            std::nullopt);
  ASSERT_TRUE(told_.has_value());
  EXPECT_EQ(told_->progress, (queue::Progress{1000, 1000, "importing"}));
  EXPECT_EQ(told_->cursor, "1000");
  EXPECT_EQ(firsts_, 1);
}

TEST_F(Telling, ARunThatTellsNothingHasNothingToTell) {
  EXPECT_EQ(run([](JobContext& context) { EXPECT_EQ(context.cursor(), ""); }), std::nullopt);
  EXPECT_FALSE(told_.has_value());
}

TEST_F(Telling, ACheckpointIsWhereARunIsInterruptedAndItsCursorIsKept) {
  for (const auto& [reason, code] : {std::pair{StopReason::stop, ErrorCode::interrupted},
                                     std::pair{StopReason::operator_asked, ErrorCode::interrupted},
                                     std::pair{StopReason::time_limit, ErrorCode::time_limit}}) {
    queue::StopSignal stop;
    bool has_gone_on = false;
    const auto outcome = run(
        [&, reason = reason](JobContext& context) {
          context.checkpoint("41");
          stop.give(reason);
          context.checkpoint("42");
          has_gone_on = true;
        },
        "", stop);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->code, code);
    EXPECT_EQ(outcome->error, "The run was interrupted at a checkpoint.");
    EXPECT_FALSE(has_gone_on);
    EXPECT_EQ(told_->cursor, "42");
  }
}

TEST_F(Telling, AChildOfAForkCannotTellAnything) {
  int refused = 0;
  EXPECT_EQ(run([&](JobContext& context) {
              refused = testing::in_child([&] {
                return (testing::throws<ForkedProcess>([&] { context.progress(1, 2); }) ? 1 : 0) +
                       (testing::throws<ForkedProcess>([&] { context.checkpoint("1"); }) ? 2 : 0);
              });
              context.progress(2, 2);
            }),
            std::nullopt);
  EXPECT_EQ(refused, 1 + 2);
  EXPECT_EQ(told_->progress->done, 2);
}

TEST_F(Telling, WhatIsOutsideItsLimitsIsRefusedAndTextsAreCut) {
  const std::string longest(queue::kCursorMax, 'x');
  EXPECT_EQ(run([&](JobContext& context) { context.checkpoint(longest); }), std::nullopt);
  for (const Handler& handler : {Handler{[&](JobContext& context) { context.checkpoint(longest + "x"); }},
                                 Handler{[](JobContext& context) { context.checkpoint(""); }},
                                 Handler{[](JobContext& context) { context.progress(-1); }},
                                 Handler{[](JobContext& context) { context.progress(1, -1); }}}) {
    const auto outcome = run(handler);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_EQ(outcome->code, ErrorCode::bad_options);
    EXPECT_FALSE(told_.has_value());
  }
  for (const std::size_t size : {199U, 200U, 201U}) {
    EXPECT_EQ(run([&](JobContext& context) { context.progress(1, 2, std::string(size, 'x')); }),
              std::nullopt);
    EXPECT_EQ(told_->progress->text.size(), std::min<std::size_t>(size, 200));
  }
  EXPECT_EQ(run([&](JobContext& context) { context.progress(1, 2, "\xff"); }), std::nullopt);
  EXPECT_EQ(told_->progress->text, "\xEF\xBF\xBD");
}

}  // namespace
}  // namespace tenure::testing
