#include <tenure/base/limits.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/store.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

// What a row of an outbox says, and which texts are none.
namespace tenure::testing {
namespace {

using namespace queue;  // NOLINT
using ::testing::StartsWith;

const OutboxOwner kAcme{TenantName{"acme"}, Generation{3}};
constexpr std::string_view kText =
    "tenure-outbox/1 mailers -7 1700000000000001 5\n"
    "tenure/1 019cadff-fbe9-7e60-8d13-c2a9945b7a01 acme 3 billing.send_invoice 16\n"
    R"({"invoice":8812})";

NewJob send_invoice() {
  return {.id = JobId{Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7a01").value()},
          .tenant = kAcme.tenant,
          .generation = kAcme.generation,
          .queue = "mailers",
          .kind = "billing.send_invoice",
          .priority = Priority{-7},
          .due = from_us(1'700'000'000'000'001),
          .attempts_max = 5,
          .arguments = R"({"invoice":8812})"};
}

Failure refusal(const std::string& text, const OutboxOwner& owner = kAcme) {
  const auto read = read_outbox_row(text, owner, {});
  if (!read) return read.error();
  ADD_FAILURE() << "it was read: " << text;
  return {};
}
// The good one with one piece of it replaced.
std::string with(std::string_view piece, std::string_view other) {
  std::string text{kText};
  return text.replace(text.find(piece), piece.size(), other);
}

TEST(OutboxRow, HasOneText) { EXPECT_EQ(write_outbox_row(send_invoice(), {}), kText); }

TEST(OutboxRow, IsReadAsTheJobThatWasWritten) {
  const auto read = read_outbox_row(kText, kAcme, {});
  ASSERT_TRUE(read) << read.error().message;
  const NewJob job = send_invoice();
  EXPECT_EQ(read->id, job.id);
  EXPECT_EQ(read->tenant, job.tenant);
  EXPECT_EQ(read->generation, job.generation);
  EXPECT_EQ(read->queue, job.queue);
  EXPECT_EQ(read->kind, job.kind);
  EXPECT_EQ(read->priority, job.priority);
  EXPECT_EQ(read->due, job.due);
  EXPECT_EQ(read->attempts_max, job.attempts_max);
  EXPECT_EQ(read->arguments, job.arguments);
}

TEST(OutboxRow, SaysBeforeWhenItsJobMustStartWhereThatIsSaid) {
  NewJob job = send_invoice();
  job.start_before = from_us(1'700'000'000'000'009);
  const std::string text = write_outbox_row(job, {});
  EXPECT_EQ(text, with(" 5\n", " 5 1700000000000009\n"));
  EXPECT_EQ(read_outbox_row(text, kAcme, {})->start_before, job.start_before);
  EXPECT_EQ(read_outbox_row(kText, kAcme, {})->start_before, std::nullopt);
  EXPECT_TRUE(says_same_job(text, send_invoice())) << "whatever its times";
}

TEST(OutboxRow, OfAnotherTenantOrGenerationIsRefused) {
  const std::string text{kText};
  EXPECT_EQ(refusal(text, {TenantName{"globex"}, Generation{3}}).code, ErrorCode::wrong_tenant);
  EXPECT_EQ(refusal(text, {kAcme.tenant, Generation{4}}).code, ErrorCode::stale_generation);
  EXPECT_EQ(refusal(with("acme 3", "- 0")).code, ErrorCode::wrong_tenant);
}

TEST(OutboxRow, OfALaterVersionIsToldApart) {
  EXPECT_EQ(refusal(with("tenure-outbox/1 ", "tenure-outbox/4 whatever ")).code, ErrorCode::newer_envelope);
  EXPECT_EQ(refusal(with("\ntenure/1 ", "\ntenure/2 ")).code, ErrorCode::newer_envelope);
}

constexpr std::string_view kTextWithKeys =
    "tenure-outbox/2 mailers -7 1700000000000001 5 "
    R"({"concurrency":{"key":"a \"b\" c","running_max":2,"global":true},"unique":{"key":"x","until":"started","global":false}})"
    "\n"
    "tenure/1 019cadff-fbe9-7e60-8d13-c2a9945b7a01 acme 3 billing.send_invoice 16\n"
    R"({"invoice":8812})";

std::string with_keys(std::string_view piece, std::string_view other) {
  std::string text{kTextWithKeys};
  return text.replace(text.find(piece), piece.size(), other);
}

TEST(OutboxRow, OfAJobWithKeysHasThemInItsFirstLine) {
  NewJob job = send_invoice();
  job.concurrency = ConcurrencyKey{"a \"b\" c", 2, true};
  job.unique = UniqueKey{"x", UniqueUntil::started, false};
  EXPECT_EQ(write_outbox_row(job, {}), kTextWithKeys);
  const auto read = read_outbox_row(kTextWithKeys, kAcme, {});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->concurrency, job.concurrency);
  EXPECT_EQ(read->unique, job.unique);
  EXPECT_EQ(read->queue, job.queue);
  EXPECT_EQ(read->attempts_max, job.attempts_max);
  EXPECT_TRUE(says_same_job(kTextWithKeys, send_invoice())) << "keys are no content";
  job.unique.reset();
  EXPECT_EQ(value_or_raise(read_outbox_row(write_outbox_row(job, {}), kAcme, {})).concurrency,
            job.concurrency);
}

TEST(OutboxRow, OfAMemberOfABatchNamesItBehindTheKeys) {
  NewJob job = send_invoice();
  job.batch = BatchId{Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7ab1").value()};
  const std::string text = write_outbox_row(job, {});
  EXPECT_EQ(text, with("tenure-outbox/1 mailers -7 1700000000000001 5",
                       "tenure-outbox/3 mailers -7 1700000000000001 5 "
                       R"({"batch":"019cadff-fbe9-7e60-8d13-c2a9945b7ab1"})"));
  EXPECT_EQ(value_or_raise(read_outbox_row(text, kAcme, {})).batch, job.batch);
  job.unique = UniqueKey{"x", UniqueUntil::started, false};
  const NewJob both = value_or_raise(read_outbox_row(write_outbox_row(job, {}), kAcme, {}));
  EXPECT_EQ(both.batch, job.batch);
  EXPECT_EQ(both.unique, job.unique);
  // A program of version 2 would leave it out, and one of version 3 has it in each row.
  std::string of_two = text;
  of_two.replace(of_two.find("/3"), 2, "/2");
  EXPECT_EQ(refusal(of_two).code, ErrorCode::bad_payload);
  EXPECT_EQ(refusal(with_keys("/2", "/3")).code, ErrorCode::bad_payload);
  std::string other = text;
  other.replace(other.find("b1\""), 2, "B1");
  EXPECT_EQ(refusal(other).code, ErrorCode::bad_payload) << "one batch has one text";
}

TEST(OutboxRow, OfTheLongestKeysIsRead) {
  NewJob job = send_invoice();
  job.batch = BatchId{job.id.uuid};
  job.concurrency = ConcurrencyKey{std::string(kJobKeyMax, '"'), kRunningMax, false};
  job.unique = UniqueKey{std::string(kJobKeyMax, '"'), UniqueUntil::ended, true};
  const auto read = read_outbox_row(write_outbox_row(job, {}), kAcme, {});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->unique, job.unique);
}

TEST(OutboxRow, KeysHaveOneText) {
  for (const std::string& text :
       {with_keys(" {", "  {"), with_keys("{\"conc", "{ \"conc"), with_keys("\"started\"", "\"later\""),
        with_keys(",\"global\":false", ""), with_keys(":2,", ":2.0,"), with_keys(":2,", ":20000,"),
        with_keys(":2,", ":\"2\","), with_keys("\"x\"", "7"), with_keys("}}\n", "},\"more\":1}\n"),
        with_keys("}}\n", "}\n"), with_keys("outbox/2", "outbox/1"), with("outbox/1", "outbox/2"),
        with_keys("5 {", "5 {}{")}) {
    SCOPED_TRACE(text);
    const Failure failure = refusal(text);
    EXPECT_EQ(failure.code, ErrorCode::bad_payload);
    EXPECT_THAT(failure.message, StartsWith("NotAnOutboxRow: "));
  }
}

TEST(OutboxRow, WhatIsNoneIsRefusedWithTheReason) {
  struct Case {
    std::string text;
    std::string_view reason;
  };
  const std::vector<Case> cases{
      {"", "NotAnOutboxRow"},
      {"tenure/1 x", "NotAnOutboxRow"},
      {with("outbox/1", "outbox/01"), "NotAnOutboxRow"},
      {with("outbox/1", "outbox/0"), "NotAnOutboxRow"},
      {with("outbox/1", "outbox/x"), "NotAnOutboxRow"},
      {with(" 5\n", "\n"), "NotAnOutboxRow"},
      {with(" 5\n", " 5 6 7\n"), "NotAnOutboxRow"},
      {with(" 5\n", " 5 \n"), "OutOfRange"},
      {with(" 5\n", " 5 06\n"), "OutOfRange"},
      {with(" 5\n", " 5 soon\n"), "OutOfRange"},
      {"tenure-outbox/1 mailers -7 1 5", "NotAnOutboxRow"},
      {"tenure-outbox/1 " + std::string(4096, 'q') + " -7 1 5\n", "NotAnOutboxRow"},
      {with(" -7 ", " -07 "), "OutOfRange"},
      {with(" -7 ", " +7 "), "OutOfRange"},
      {with(" -7 ", " 7x "), "OutOfRange"},
      {with(" -7 ", " 9223372036854775808 "), "OutOfRange"},
      {with(" -7 ", " 2147483648 "), "OutOfRange"},
      {with(" 1700000000000001 ", "  "), "OutOfRange"},
      {with(" 5\n", " -5\n"), "OutOfRange"},
      {with("\ntenure/1 ", "\n"), "NotAnEnvelope"},
      {with("8812}", "8812"), "Truncated"},
      {std::string{kText} + "x", "TrailingBytes"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.text.substr(0, 200));
    const Failure failure = refusal(each.text);
    EXPECT_EQ(failure.code, ErrorCode::bad_payload);
    EXPECT_THAT(failure.message, StartsWith(std::string{each.reason} + ": "));
  }
}

TEST(OutboxRow, AJobIsCheckedBeforeItIsWritten) {
  const auto code = [](const NewJob& job, std::size_t payload_max = limits::kPayloadDefault) {
    const auto row = make_outbox_row(job, payload_max, {});
    return row ? std::nullopt : std::optional{row.error().code};
  };
  EXPECT_EQ(code(send_invoice()), std::nullopt);
  NewJob job = send_invoice();
  job.tenant.reset();
  EXPECT_EQ(code(job), ErrorCode::missing_tenant);
  job = send_invoice();
  job.queue = "no such queue";
  EXPECT_EQ(code(job), ErrorCode::bad_options);
  job = send_invoice();
  job.priority = Priority{101};
  EXPECT_EQ(code(job), ErrorCode::bad_options);
  job = send_invoice();
  job.attempts_max = 0;
  EXPECT_EQ(code(job), ErrorCode::bad_options);

  const std::size_t bytes = std::string_view{kText}.size() - (kText.find('\n') + 1);
  EXPECT_EQ(code(send_invoice(), bytes - 1), ErrorCode::payload_too_large);
  EXPECT_EQ(code(send_invoice(), bytes), std::nullopt);
  EXPECT_EQ(code(send_invoice(), bytes + 1), std::nullopt);
}

TEST(OutboxRow, IsComparedByWhatAnEnqueueOfTheSameIdIs) {
  EXPECT_TRUE(says_same_job(kText, send_invoice()));
  NewJob job = send_invoice();
  job.due += std::chrono::seconds{1};
  job.attempts_max = 6;
  EXPECT_TRUE(says_same_job(kText, job));
  const auto differs = [](auto change) {
    NewJob other = send_invoice();
    change(other);
    return !says_same_job(kText, other);
  };
  EXPECT_TRUE(differs([](NewJob& other) { other.queue = "reports"; }));
  EXPECT_TRUE(differs([](NewJob& other) { other.priority = Priority{0}; }));
  EXPECT_TRUE(differs([](NewJob& other) { other.kind = "billing.other"; }));
  EXPECT_TRUE(differs([](NewJob& other) { other.arguments = "{}"; }));
  EXPECT_TRUE(differs([](NewJob& other) { other.id = {}; }));
  EXPECT_TRUE(differs([](NewJob& other) { other.generation = Generation{9}; }));
  EXPECT_FALSE(says_same_job("no row", send_invoice()));
}

}  // namespace
}  // namespace tenure::testing
