#include "program.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/envelope.hpp>

#include <fstream>

namespace tenure::cli {
namespace {

using queue::ShownState;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Jobs from the command line by kind and JSON, and many of them by lines.
class JobEnqueue : public Program {
 protected:
  JobEnqueue() {
    add_tenant("acme");
    add_tenant("corvid");
    environment.read_input = [this](std::size_t bytes_max) {
      const std::size_t size = std::min({bytes_max, chunk, input.size()});
      std::string part = input.substr(0, size);
      input.erase(0, size);
      return part;
    };
  }

  int enqueue(std::vector<std::string> words) {
    words.insert(words.begin(), {"job", "enqueue"});
    return run(words);
  }
  std::string arguments_of(int seed) {
    std::optional<std::string> envelope;
    const queue::JobRecord record = job(seed);
    store->read([&](queue::JobReader& reader) { envelope = reader.envelope(record.seq); });
    return value_or_raise(queue::read_envelope(envelope.value())).arguments;
  }
  queue::JobKeys keys_of(int seed) {
    queue::JobKeys keys;
    const queue::JobRecord record = job(seed);
    store->read([&](queue::JobReader& reader) { keys = reader.job_keys(record); });
    return keys;
  }
  std::int64_t jobs() {
    std::int64_t count = 0;
    store->read([&](queue::JobReader& reader) { count = reader.summary().jobs; });
    return count;
  }

  std::string input;  // what is left of standard input
  std::size_t chunk = 1'000'000;
  const std::string id7 = job_id(7).text();
};

TEST_F(JobEnqueue, PrintsTheIdOfAJobWithItsTenantArgumentsAndOptions) {
  EXPECT_EQ(enqueue({"billing.close", R"({ "b": 1, "a": {"$gid": "gid://billing/Invoice/7?tenant=acme"} })",
                     "--tenant", "acme", "--id", id7, "--queue", "mailers", "--priority", "-5",
                     "--max-attempts", "3"}),
            0)
      << output.error;
  EXPECT_EQ(output.out, id7 + "\n");
  EXPECT_EQ(wakes, 1);
  const queue::JobRecord record = job(7);
  EXPECT_EQ(record.tenant, TenantName("acme"));
  EXPECT_EQ(record.generation.value, 1);
  EXPECT_EQ(record.queue, "mailers");
  EXPECT_EQ(record.priority.value, -5);
  EXPECT_EQ(record.attempts_max, 3);
  EXPECT_EQ(record.state, ShownState::ready);
  EXPECT_EQ(arguments_of(7), R"({"a":{"$gid":"gid://billing/Invoice/7?tenant=acme"},"b":1})");
}

TEST_F(JobEnqueue, StartsBeforeThenOrNever) {
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "acme", "--id", id7, "--start-before", "+10m"}), 0);
  const WallTime before = clock.wall() + std::chrono::minutes(10);
  EXPECT_EQ(job(7).start_before, before);
  EXPECT_EQ(run({"job", "show", id7}), 0);
  EXPECT_THAT(output.out, HasSubstr("starts     before 2026-03-02T10:24:00Z, or it is discarded\n"));
  EXPECT_EQ(run({"why", id7}), 0);
  EXPECT_THAT(output.out, HasSubstr("expires    2026-03-02T10:24:00Z, when it is discarded, not started\n"));
  EXPECT_EQ(run({"job", "show", id7, "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr("\"start_before\":\"2026-03-02T10:24:00Z\""));
  clock.advance(std::chrono::minutes(10));
  store->write(queue::Durability::ordered,
               [&](queue::StoreWriter& writer) { EXPECT_EQ(writer.expire(clock.wall(), 10).size(), 1U); });
  EXPECT_EQ(run({"job", "count", "reason=expired"}), 0);
  EXPECT_EQ(output.out, "1\n");
  EXPECT_EQ(run({"why", id7}), 0);
  EXPECT_THAT(output.out, HasSubstr("decided by its start-before time, which had passed (expired)\n"));
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "acme", "--start-before", "soon"}), 2);
  EXPECT_THAT(output.error, HasSubstr("--start-before 'soon' is no time like"));
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "acme", "--run-at", "+2h", "--start-before", "+1h"}), 2);
  EXPECT_THAT(output.error, HasSubstr("it would have to start before"));
}

TEST_F(JobEnqueue, StatesKeysAndPrintsWhoseTheUniqueOneIs) {
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "acme", "--id", id7, "--concurrency-key", "reports",
                     "--running-max", "2", "--unique-key", "close 2026-03", "--unique-until", "started"}),
            0)
      << output.error;
  const queue::JobKeys keys = keys_of(7);
  EXPECT_EQ(keys.concurrency, (ConcurrencyKey{"reports", 2, false}));
  EXPECT_EQ(keys.unique, (UniqueKey{"close 2026-03", UniqueUntil::started, false}));
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "acme", "--id", job_id(8).text(), "--unique-key",
                     "close 2026-03"}),
            0);
  EXPECT_EQ(output.out, id7 + "\n");
  EXPECT_THAT(output.error, HasSubstr("that job has the unique key already"));
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "acme", "--unique-key", "close 2026-03", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("existed":true)"));
  EXPECT_EQ(jobs(), 1);
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "acme", "--id", job_id(9).text(), "--unique-key", "x",
                     "--global-keys"}),
            0);
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "corvid", "--unique-key", "x", "--global-keys"}), 0);
  EXPECT_EQ(output.out, job_id(9).text() + "\n");
}

TEST_F(JobEnqueue, WhatIsSaidOfAKeyThatIsNotThereIsRefused) {
  const auto refused = [&](std::vector<std::string> words, std::string_view what) {
    words.insert(words.begin(), {"billing.close", "--tenant", "acme"});
    EXPECT_EQ(enqueue(words), 2) << what;
    EXPECT_THAT(output.error, HasSubstr(std::string{what}));
  };
  refused({"--running-max", "2"}, "running-max");
  refused({"--unique-until", "started"}, "unique-until");
  refused({"--global-keys"}, "global-keys");
  refused({"--concurrency-key", "a", "--running-max", "0"}, "running-max");
  refused({"--unique-key", "a", "--unique-until", "later"}, "unique-until");
  refused({"--unique-key", ""}, "unique.key");
  EXPECT_EQ(jobs(), 0);
}

TEST_F(JobEnqueue, ALineStatesKeysToo) {
  input =
      R"({"kind":"a.b","id":")" + id7 +
      R"(","concurrency_key":"r","running_max":3,"unique_key":"u","unique_until":"started","global_keys":true})"
      "\n"
      R"({"kind":"a.b","unique_key":"u","global_keys":true})"
      "\n"
      R"({"kind":"a.b","unique_until":"never"})"
      "\n";
  EXPECT_EQ(enqueue({"--lines", "--tenant", "acme"}), 1);
  EXPECT_THAT(output.out, StartsWith("1  " + id7 + "\n2  " + id7 + "  existed\n"));
  EXPECT_THAT(output.error, HasSubstr("line 3: "));
  const queue::JobKeys keys = keys_of(7);
  EXPECT_EQ(keys.concurrency, (ConcurrencyKey{"r", 3, true}));
  EXPECT_EQ(keys.unique, (UniqueKey{"u", UniqueUntil::started, true}));
}

TEST_F(JobEnqueue, IsDueThenOrSoLongFromNow) {
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "acme", "--id", id7, "--run-in", "5m"}), 0);
  EXPECT_EQ(job(7).due, clock.wall() + std::chrono::minutes(5));
  EXPECT_EQ(job(7).state, ShownState::scheduled);
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "acme", "--id", job_id(8).text(), "--run-at",
                     "2026-03-03T00:00Z"}),
            0);
  EXPECT_EQ(job(8).due, from_us((kStart + 13 * 3600 + 46 * 60) * 1'000'000));
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "acme", "--run-at", "soon"}), 2);
  EXPECT_THAT(output.error, HasSubstr("--run-at 'soon' is no time like"));
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "acme", "--run-in", "5 parsecs"}), 2);
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "acme", "--run-in", "5m", "--run-at", "now"}), 2);
}

TEST_F(JobEnqueue, TheSameIdAgainIsTheSameJobAndOtherContentAConflict) {
  ASSERT_EQ(enqueue({"billing.close", R"({"a":1})", "--tenant", "acme", "--id", id7}), 0);
  EXPECT_EQ(enqueue({"billing.close", R"({ "a" : 1 })", "--tenant", "acme", "--id", id7}), 0);
  EXPECT_EQ(output.out, id7 + "\n");
  EXPECT_THAT(output.error, HasSubstr("it was there already"));
  EXPECT_EQ(jobs(), 1);
  EXPECT_EQ(enqueue({"billing.close", R"({"a":2})", "--tenant", "acme", "--id", id7}), 1);
  EXPECT_THAT(output.error, HasSubstr("IdConflict"));
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "acme", "--id", "seven"}), 2);
}

TEST_F(JobEnqueue, BadArgumentsAreDataWithTheirPlaceAndNothingIsStored) {
  EXPECT_EQ(enqueue({"billing.close", R"({"a":[1,})", "--tenant", "acme"}), 65);
  EXPECT_THAT(output.error, HasSubstr("(byte 8)"));
  EXPECT_THAT(output.error, HasSubstr("at $.a[1]"));
  EXPECT_EQ(enqueue({"billing.close", R"({"a":{"$gid":"gid://billing/Invoice/7?tenant=corvid"}})", "--tenant",
                     "acme"}),
            1);
  EXPECT_THAT(output.error, StartsWith("tenure: WrongTenant: "));
  EXPECT_EQ(enqueue({"billing.close", "--json", "[]", "--tenant", "acme"}), 65);
  EXPECT_THAT(output.error, HasSubstr(R"("where":"$")"));
  EXPECT_EQ(jobs(), 0);
  EXPECT_EQ(wakes, 0);
}

TEST_F(JobEnqueue, TheTenantIsSaidAlwaysAndMustTakeJobs) {
  EXPECT_EQ(enqueue({"billing.close"}), 2);
  EXPECT_THAT(output.error, HasSubstr("--tenant none"));
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "globex"}), 1);
  EXPECT_THAT(output.error, HasSubstr("TenantDoesNotExist"));
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "../acme"}), 2);
  EXPECT_EQ(enqueue({"billing.close", "--tenant", "none", "--id", id7}), 0);
  EXPECT_EQ(job(7).tenant, std::nullopt);
}

TEST_F(JobEnqueue, AKindThatNobodyKnowsIsAWarningAndAKnownOneGoesToItsQueue) {
  tell_pools({{.name = "general",
               .queues = {"default", "mailers"},
               .workers = 1,
               .kinds = {"mail.send"},
               .default_queues = {"mailers"}},
              {.name = "heavy",
               .queues = {"default"},
               .workers = 1,
               .kinds = {"a.b", "c.d"},
               .default_queues = {"default", "reports"}}});
  EXPECT_EQ(enqueue({"mail.sent", "--tenant", "acme", "--id", id7}), 0);
  EXPECT_THAT(output.error, HasSubstr("no worker program has named the kind mail.sent so far"));
  EXPECT_EQ(job(7).queue, "default");
  EXPECT_EQ(job(7).state, ShownState::held);
  EXPECT_EQ(enqueue({"mail.send", "--tenant", "acme", "--id", job_id(8).text()}), 0);
  EXPECT_EQ(output.error, "");
  EXPECT_EQ(job(8).queue, "mailers");
  EXPECT_EQ(enqueue({"a.b", "--tenant", "acme"}), 2);
  EXPECT_THAT(output.error, HasSubstr("kinds for default, reports; say --queue NAME"));
  EXPECT_EQ(enqueue({"no kind", "--tenant", "acme"}), 2);
  EXPECT_EQ(enqueue({"mail.sent", "--tenant", "acme", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"("kind_is_known":false)"));
}

TEST_F(JobEnqueue, ArgumentsComeFromAFileOrStandardInputWithinTheirLimit) {
  std::ofstream(folder / "arguments.json") << "{\"a\": 1}\n";
  EXPECT_EQ(
      enqueue({"billing.close", "@" + (folder / "arguments.json").string(), "--tenant", "acme", "--id", id7}),
      0);
  EXPECT_EQ(arguments_of(7), R"({"a":1})");
  input = "{\"a\":\n2}\n";
  chunk = 3;
  EXPECT_EQ(enqueue({"billing.close", "-", "--tenant", "acme", "--id", job_id(8).text()}), 0);
  EXPECT_EQ(arguments_of(8), R"({"a":2})");
  input = std::string(limits::kPayloadMax + 1, ' ');
  chunk = input.size();
  EXPECT_EQ(enqueue({"billing.close", "-", "--tenant", "acme"}), 65);
  EXPECT_THAT(output.error, HasSubstr("standard input has more than 1048576 bytes"));
  EXPECT_EQ(enqueue({"billing.close", "@" + (folder / "none").string(), "--tenant", "acme"}), 2);
  EXPECT_THAT(output.error, HasSubstr("No such file"));
}

TEST_F(JobEnqueue, EachLineGetsItsResultAndABadOneStopsNoOther) {
  input =
      R"({"id":")" + job_id(1).text() + R"(","arguments":{"a":1}})" + "\n\n" +
      R"({"kind":"reports.monthly","tenant":"corvid","queue":"reports","priority":3,"attempts_max":2,"due":"2026-03-03","id":")" +
      job_id(2).text() + "\"}\r\n{\"argument\":{}}\n{\"arguments\":{\"a\":[1,}}\n" +
      R"({"arguments":{"a":{"$gid":"gid://billing/Invoice/7?tenant=corvid"}}})" + "\n[]\n" +
      R"({"tenant":"globex"})" + "\n" + R"({"priority":101})" + "\n" + R"({"id":")" + job_id(3).text() +
      "\"}";
  chunk = 7;
  EXPECT_EQ(enqueue({"billing.close", "--lines", "--tenant", "acme"}), 1);
  EXPECT_EQ(output.out,
            "1  " + job_id(1).text() + "\n3  " + job_id(2).text() + "\n10  " + job_id(3).text() + "\n");
  EXPECT_THAT(output.error,
              HasSubstr("line 4: BadPayload: UnknownKey: did you mean arguments? (at $.argument)\n"));
  EXPECT_THAT(output.error, HasSubstr("line 5: BadPayload: "));
  EXPECT_THAT(output.error, HasSubstr("(at $.arguments.a[1])\n"));
  EXPECT_THAT(output.error, HasSubstr("line 6: WrongTenant: "));
  EXPECT_THAT(output.error, HasSubstr("line 7: BadPayload: WrongType: a line is an object"));
  EXPECT_THAT(output.error, HasSubstr("line 8: TenantDoesNotExist: "));
  EXPECT_THAT(output.error,
              HasSubstr("line 9: BadPayload: OutOfRange: 101 is outside -100 to 100 (at $.priority)\n"));
  EXPECT_THAT(output.error, EndsWith("enqueued 3 jobs; 6 refused\n"));
  EXPECT_EQ(arguments_of(1), R"({"a":1})");
  EXPECT_EQ(job(2).tenant, TenantName("corvid"));
  EXPECT_EQ(job(2).queue, "reports");
  EXPECT_EQ(job(2).attempts_max, 2);
  EXPECT_EQ(job(2).state, ShownState::scheduled);
}

TEST_F(JobEnqueue, LinesWithIdsMayBeGivenAgain) {
  std::string lines;
  for (int i = 1; i <= 1200; ++i)
    lines += R"({"id":")" + job_id(i).text() + R"(","arguments":{"n":)" + std::to_string(i) + "}}\n";
  input = lines.substr(0, lines.size() / 2);  // the last of them is cut off
  EXPECT_EQ(enqueue({"billing.close", "--lines", "--tenant", "acme", "--quiet"}), 1);
  input = lines;
  EXPECT_EQ(enqueue({"billing.close", "--lines", "--tenant", "acme", "--json"}), 0);
  EXPECT_EQ(jobs(), 1200);
  EXPECT_THAT(output.out, StartsWith(R"({"schema":"tenure.job.enqueue.line/1","line":1,"id":")" +
                                     job_id(1).text() + R"(","existed":true})"));
  EXPECT_THAT(output.out, EndsWith(R"("existed":false})"
                                   "\n"));
}

TEST_F(JobEnqueue, ALineThatIsTooLongIsOneBadLine) {
  input = "{\"arguments\":{\"a\":\"" + std::string(3'000'000, 'x') + "\"}}\n{\"id\":\"" + id7 + "\"}\n";
  EXPECT_EQ(enqueue({"billing.close", "--lines", "--tenant", "acme", "--json"}), 1);
  EXPECT_THAT(output.out,
              HasSubstr(R"("line":1,"error":{"code":"PayloadTooLarge","message":"the line has more than )"));
  EXPECT_EQ(job(7).kind, "billing.close");
}

TEST_F(JobEnqueue, WhatLinesCannotMeanIsRefused) {
  EXPECT_EQ(enqueue({"--lines", "--id", id7}), 2);
  EXPECT_EQ(enqueue({"billing.close", "{}", "--lines"}), 2);
  EXPECT_EQ(enqueue({}), 2);
  input = "{}\n";
  EXPECT_EQ(enqueue({"--lines", "--tenant", "acme"}), 1);
  EXPECT_THAT(output.error, HasSubstr("line 1: BadOptions"));
}

}  // namespace
}  // namespace tenure::cli
