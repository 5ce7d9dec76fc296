#include <tenure/queue/filter.hpp>

#include <gmock/gmock.h>

namespace tenure::queue {
namespace {

// 2026-03-02T10:00:00Z
constexpr WallTime kNow = from_us(1'772'445'600'000'000);
constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kHour = 3'600 * kSecond;

Result<Filter> parse(std::vector<std::string> words) {
  return parse_filter(words, job_filter_fields(), kNow);
}

std::string problem(std::vector<std::string> words) {
  const auto filter = parse(std::move(words));
  if (filter) return "";
  EXPECT_EQ(filter.error().code, ErrorCode::bad_filter);
  return filter.error().message;
}

Range range_of(const std::string& word) {
  const auto filter = parse({word});
  if (!filter) throw std::runtime_error(filter.error().message);
  return std::get<Range>(filter->terms.at(0).values.at(0));
}

void expect_range(const std::string& word, std::optional<std::int64_t> first,
                  std::optional<std::int64_t> last) {
  const Range range = range_of(word);
  EXPECT_EQ(range.first, first) << word;
  EXPECT_EQ(range.last, last) << word;
}

JobRecord job() {
  JobRecord record;
  record.id = JobId{*Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7a01")};
  record.tenant = TenantName{"acme"};
  record.generation = Generation{2};
  record.queue = "mail";
  record.kind = "billing.send_invoice";
  record.state = ShownState::held;
  record.created = from_us(to_us(kNow) - kHour);
  record.error = "SmtpTimeout: no, \"mx\"";
  return record;
}

bool hit(std::vector<std::string> words) {
  const auto filter = parse(std::move(words));
  if (!filter) throw std::runtime_error(filter.error().message);
  return matches(*filter, job(), kNow);
}

TEST(Filter, NoTermIsEverything) { EXPECT_TRUE(hit({})); }

TEST(Filter, AllTermsMustHoldAndAnyValueMay) {
  EXPECT_TRUE(hit({"queue=mail", "tenant=acme"}));
  EXPECT_FALSE(hit({"queue=mail", "tenant=globex"}));
  EXPECT_TRUE(hit({"tenant=globex,acme"}));
  EXPECT_FALSE(hit({"tenant!=globex,acme"}));
  EXPECT_TRUE(hit({"tenant!=globex,initech"}));
}

TEST(Filter, SeveralTermsInOneWordAreRefusedWhereNoValueHoldsABlank) {
  for (const char* const word : {"tenant=acme state=dead", "state=dead tenant=acme", "queue=mail kind=a",
                                 "id=019* state=dead", "attempt=1 state=dead"})
    EXPECT_THAT(problem({word}), ::testing::HasSubstr("terms are separate words")) << word;
  EXPECT_EQ(problem({"error=no answer state=dead"}), "");
  EXPECT_EQ(problem({"tenant=\"acme state=dead\""}), "") << "which says that it is meant";
}

TEST(Filter, GlobsAreCaseSensitiveAndQuotesAreLiteral) {
  EXPECT_TRUE(hit({"kind=billing.*"}));
  EXPECT_FALSE(hit({"kind=Billing.*"}));
  EXPECT_TRUE(hit({"kind=*.send_???????"}));
  EXPECT_FALSE(hit({"kind=\"billing.*\""}));
  EXPECT_TRUE(hit({"error=\"SmtpTimeout: no, \"\"mx\"\"\""}));
  EXPECT_TRUE(hit({"error=\"a,b\",Smtp*"}));
  EXPECT_TRUE(hit({"id=019cadff*"}));
  EXPECT_TRUE(hit({"state=held,dead"}));
  EXPECT_TRUE(hit({"reason=none"}));
}

TEST(Filter, AnUntenantedJobIsOfTenantNone) {
  JobRecord record = job();
  record.tenant.reset();
  EXPECT_TRUE(matches(*parse({"tenant=none"}), record, kNow));
  EXPECT_FALSE(matches(*parse({"tenant=acme"}), record, kNow));
}

TEST(Filter, WhatHasNoTimeIsInNoRange) {
  EXPECT_FALSE(hit({"finished=-1d.."}));
  EXPECT_FALSE(hit({"finished=.."}));
  EXPECT_TRUE(hit({"finished!=-1d.."}));
  EXPECT_TRUE(hit({"age=1h"}));
  EXPECT_TRUE(hit({"age=..1h"}));
  EXPECT_FALSE(hit({"age=61m.."}));
}

TEST(Filter, RangesIncludeBothEnds) {
  expect_range("priority=5", 5, 5);
  expect_range("priority=-5..5", -5, 5);
  expect_range("priority=..-5", std::nullopt, -5);
  expect_range("attempt=2..", 2, std::nullopt);
  expect_range("generation=..", std::nullopt, std::nullopt);
  expect_range("age=5m..2h", 300 * kSecond, 2 * kHour);
  EXPECT_NE(problem({"priority=5..4"}).find("ends before it begins"), std::string::npos);
}

TEST(Filter, TimesAreRelativeOrOfACalendar) {
  const std::int64_t now = to_us(kNow);
  expect_range("created=-2h..", now - 2 * kHour, std::nullopt);
  expect_range("due=..+10m", std::nullopt, now + 600 * kSecond);
  expect_range("due=now", now, now);
  expect_range("created=2026-03-02", now - 10 * kHour, now + 14 * kHour - 1);
  expect_range("created=2026-03-01..2026-03-02", now - 34 * kHour, now + 14 * kHour - 1);
  expect_range("created=2026-03-02T10:00:00Z", now, now + kSecond - 1);
  expect_range("created=2026-03-02T10:00", now, now + 60 * kSecond - 1);
  expect_range("created=2026-03-02T10:00:00.5Z..", now + kSecond / 2, std::nullopt);
  expect_range("created=2026-03-02T12:00:00+02:00..", now, std::nullopt);
  expect_range("created=2026-03-02T10:00:00.000123Z", now + 123, now + 123);
}

TEST(Filter, TimesThatAreNoneAreRefused) {
  for (const char* value : {"2026-02-30", "2026-3-2", "1969-12-31", "2026-03-02T24:00:00Z", "2026-03-02T10",
                            "yesterday", "2026-03-02 10:00", "2026-03-02T10:00:00.1234567Z", "-2", "-2w", "+",
                            "2026-03-02T10:00:60Z", "-99999999999999999999d", "-365001d"})
    EXPECT_NE(problem({std::string{"created="} + value}), "") << value;
  EXPECT_NE(problem({"created=2h"}).find("-2h is that long ago"), std::string::npos);
  EXPECT_EQ(problem({"created=-365000d"}), "");
}

TEST(Filter, NumbersThatAreNoneAreRefused) {
  for (const char* value : {"x", "1x", "1.5", "", "99999999999999999999", "\"1\"", "1..2..3"})
    EXPECT_NE(problem({std::string{"priority="} + value}), "") << value;
}

TEST(Filter, NearMissesAreSuggested) {
  EXPECT_NE(problem({"stat=dead"}).find("did you mean 'state'"), std::string::npos);
  EXPECT_NE(problem({"state=deed"}).find("did you mean 'dead'"), std::string::npos);
  EXPECT_NE(problem({"reason=expird"}).find("did you mean 'expired'"), std::string::npos);
  EXPECT_EQ(problem({"colour=red"}).find("did you mean"), std::string::npos);
  EXPECT_NE(problem({"state=x*"}), "") << "a pattern that meets no state";
}

TEST(Filter, BrokenTermsAreNamed) {
  EXPECT_NE(problem({"dead"}).find("'dead': it has no '='"), std::string::npos);
  for (const char* word : {"=x", "state=", "state=dead,", "error=\"open", "error=\"a\"b", "!=x", "name=x"})
    EXPECT_NE(problem({word}), "") << word;
}

TEST(Filter, LimitsHoldExactly) {
  EXPECT_EQ(problem(std::vector<std::string>(kFilterTermsMax, "queue=a")), "");
  EXPECT_NE(problem(std::vector<std::string>(kFilterTermsMax + 1, "queue=a")), "");
  const auto values = [](std::size_t count) {
    std::string word = "queue=a";
    for (std::size_t i = 1; i < count; ++i) word += ",a";
    return std::vector<std::string>{word};
  };
  EXPECT_EQ(problem(values(kFilterValuesMax)), "");
  EXPECT_NE(problem(values(kFilterValuesMax + 1)), "");
  EXPECT_EQ(problem({"queue=" + std::string(kFilterBytesMax - 6, 'q')}), "");
  EXPECT_NE(problem({"queue=" + std::string(kFilterBytesMax - 5, 'q')}), "");
}

TEST(Filter, QueuesAndTenantsAreFilteredByNameStateAndCounts) {
  const QueueRecord queue{"mail", 1, 2, 3, 4, 5, from_us(to_us(kNow) - 300 * kSecond)};
  QueueRecord empty{"mail"};
  const auto hits = [](const auto& record, std::span<const FilterField> fields,
                       const std::vector<std::string>& words) {
    return matches(value_or_raise(parse_filter(words, fields, kNow)), record, kNow);
  };
  for (const char* word : {"name=ma*", "scheduled=1", "ready=2", "held=3", "running=4", "dead=5", "dead=1..",
                           "oldest=5m", "oldest=5m..", "oldest=..5m", "oldest!=6m..", "ready!=0"})
    EXPECT_TRUE(hits(queue, queue_filter_fields(), {word})) << word;
  for (const char* word : {"name=mai", "scheduled=0", "ready=3..", "held=..2", "running=5", "dead!=5",
                           "oldest=301s..", "oldest=..299s"})
    EXPECT_FALSE(hits(queue, queue_filter_fields(), {word})) << word;
  EXPECT_FALSE(hits(empty, queue_filter_fields(), {"oldest=.."})) << "nothing is ready";
  EXPECT_TRUE(hits(empty, queue_filter_fields(), {"oldest!=5m.."}));
  EXPECT_FALSE(hits(queue, queue_filter_fields(), {"ready=2", "dead=0"}));

  const TenantSummary tenant{
      {TenantNumber{1}, TenantName{"acme"}, Generation{2}, TenantState::paused, kNow}, 1, 2, 3, 4, {}};
  for (const char* word : {"name=acme", "state=paused,active", "state!=active", "generation=2", "ready=1",
                           "held=2", "running=3", "dead=4", "oldest!=1s.."})
    EXPECT_TRUE(hits(tenant, tenant_filter_fields(), {word})) << word;
  for (const char* word : {"name=acm", "state=active", "generation=1", "ready=0", "oldest=.."})
    EXPECT_FALSE(hits(tenant, tenant_filter_fields(), {word})) << word;

  const auto refused = [](std::span<const FilterField> fields, const std::vector<std::string>& words) {
    const auto filter = parse_filter(words, fields, kNow);
    return filter ? "" : filter.error().message;
  };
  EXPECT_THAT(refused(tenant_filter_fields(), {"state=dead"}), ::testing::HasSubstr("no state 'dead'"));
  EXPECT_THAT(refused(tenant_filter_fields(), {"scheduled=1"}), ::testing::HasSubstr("no field 'scheduled'"));
  EXPECT_THAT(refused(queue_filter_fields(), {"state=active"}), ::testing::HasSubstr("no field 'state'"));
  EXPECT_THAT(refused(queue_filter_fields(), {"ready=5m"}), ::testing::HasSubstr("no integer"));
  EXPECT_THAT(refused(queue_filter_fields(), {"oldest=5"}), ::testing::HasSubstr("no duration"));
  EXPECT_THAT(refused(job_filter_fields(), {"ready=1"}), ::testing::HasSubstr("no field 'ready'"));
}

TEST(Filter, WorkerProcessesAreFilteredByWhatTheDaemonTellsOfThem) {
  const WorkerRecord worker{.process = 3, .pid = 814, .pool = "general", .node = "app-1", .state = "quiet"};
  const auto holds = [&](const std::string& word) {
    const auto filter = parse_filter(std::vector{word}, worker_filter_fields(), kNow);
    EXPECT_TRUE(filter) << word;
    return filter && matches(*filter, worker);
  };
  for (const char* const word : {"process=3", "process=..5", "pid=814", "pid!=3", "pool=gen*", "node=app-1",
                                 "node!=app-2", "state=quiet,ready", "state!=leaving"})
    EXPECT_TRUE(holds(word)) << word;
  for (const char* const word :
       {"process=814", "pid=3", "pool=app-1", "node=general", "state=ready", "process!=3"})
    EXPECT_FALSE(holds(word)) << word;
  for (const char* const word : {"state=running", "process=three", "tenant=acme"})
    EXPECT_FALSE(parse_filter(std::vector<std::string>{word}, worker_filter_fields(), kNow)) << word;
}

TEST(Glob, MatchesWholeTexts) {
  const auto matches_glob = [](std::string pattern, std::string_view text) {
    return glob_matches({std::move(pattern), false}, text);
  };
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("", ""));
  EXPECT_FALSE(matches_glob("", "a"));
  EXPECT_FALSE(matches_glob("?", ""));
  EXPECT_TRUE(matches_glob("?", "\xC3\xBC")) << "one character, not one byte";
  EXPECT_TRUE(matches_glob("a*b*c", "axxbxxbc"));
  EXPECT_FALSE(matches_glob("a*b*c", "axxbxx"));
  EXPECT_TRUE(matches_glob("**a**", "bab"));
  EXPECT_FALSE(matches_glob("abc", "abcd"));
  EXPECT_FALSE(matches_glob("*" + std::string(200, 'a') + "b", std::string(4'000, 'a')))
      << "and in bounded time";
}

}  // namespace
}  // namespace tenure::queue
