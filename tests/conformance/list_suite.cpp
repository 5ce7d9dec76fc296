#include "store_suite.hpp"

#include <tenure/base/random.hpp>

#include <algorithm>
#include <array>

namespace tenure::testing {
namespace {

Filter filter_of(const std::vector<std::string>& words, WallTime now) {
  return value_or_raise(parse_filter(words, job_filter_fields(), now));
}

std::vector<JobId> ids_of(const std::vector<JobRecord>& jobs) {
  std::vector<JobId> ids;
  for (const JobRecord& job : jobs) ids.push_back(job.id);
  return ids;
}

class ListSuite : public StoreSuite {
 protected:
  std::vector<JobRecord> list(const Filter& filter, const ListOptions& options = {}) {
    return asked([&](JobReader& reader) { return reader.list_jobs(filter, options, now_).jobs; });
  }
  std::vector<JobId> ids(const std::vector<std::string>& words) {
    return ids_of(list(filter_of(words, now_)));
  }
  std::int64_t count(const Filter& filter, const ListOptions& options = {.limit = 1'000'000}) {
    return asked([&](JobReader& reader) { return reader.count_jobs(filter, options, now_).count; });
  }

  // Jobs of several tenants, kinds and queues in every state that there is.
  void populate(Random& random, int jobs);
  void end_somehow(Random& random, const ClaimedJob& job);
};

void ListSuite::populate(Random& random, int jobs) {
  std::vector<TenantRecord> tenants;
  for (const std::string_view name : {"acme", "acme-eu", "globex", "initech"})
    tenants.push_back(create_tenant(name));
  constexpr std::array kTenants{"acme", "acme-eu", "globex", "initech"};
  for (int i = 0; i < jobs; ++i) {
    advance(milliseconds{random.below(90'000)});
    NewJob job = random.below(5) == 0 ? new_job() : new_job(kTenants[random.below(kTenants.size())]);
    job.queue = std::array{"default", "mail", "reports"}[random.below(3)];
    job.kind = std::array{"billing.send_invoice", "billing.remind", "reports.monthly"}[random.below(3)];
    job.priority = Priority{static_cast<int>(random.below(5)) - 2};
    job.due = now_ + milliseconds{random.below(600'000)} - milliseconds{300'000};
    put(job);
    if (random.below(3) == 0)
      static_cast<void>(written([&](StoreWriter& writer) { return writer.promote(now_, 3); }));
    if (random.below(2) != 0) continue;
    const TenantNumber tenant =
        random.below(5) == 0 ? kUntenanted : tenants[random.below(tenants.size())].number;
    for (const ClaimedJob& claimed : claim(tenant, 2).jobs) end_somehow(random, claimed);
  }
  set_tenant_state("globex", TenantState::paused);
}

void ListSuite::end_somehow(Random& random, const ClaimedJob& job) {
  const AttemptFailure failure{ErrorCode::handler_failed,
                               random.below(2) == 0 ? "SmtpTimeout: no, \"mx\"" : "Boom"};
  advance(milliseconds{random.below(2'000)});
  write([&](StoreWriter& writer) {
    const auto claim = ref(job);
    switch (random.below(8)) {
      case 0:
        return value_or_raise(writer.finish_succeeded(claim, now_));
      case 1:
        return value_or_raise(writer.retry(claim, now_ + seconds{random.below(100)}, failure, now_));
      case 2:
        return value_or_raise(
            writer.finish(claim, JobState::dead, JobReason::attempts_exhausted, failure, now_));
      case 3:
        return value_or_raise(writer.finish(claim, JobState::discarded, JobReason::expired, failure, now_));
      case 4:
        return value_or_raise(
            writer.finish(claim, JobState::cancelled, JobReason::by_operator, failure, now_));
      case 5:
        return value_or_raise(writer.block(claim, JobReason::envelope_newer));
      case 6:
        return value_or_raise(writer.reclaim(claim, CrashCharge::counted, failure, now_));
      default:
        return;  // goes on running
    }
  });
}

// One random term in the words of the filter language.
std::string random_term(Random& random, const JobRecord& job) {
  const auto pick = [&](auto... words) {
    return std::array<std::string, sizeof...(words)>{words...}[random.below(sizeof...(words))];
  };
  const auto range = [&](std::int64_t around) {
    const std::string low = std::to_string(around - static_cast<std::int64_t>(random.below(2)));
    const std::string high = std::to_string(around + static_cast<std::int64_t>(random.below(2)));
    return pick(low, low + "..", ".." + high, low + ".." + high);
  };
  const auto time = [&] { return pick("-10m..", "..-20m", "-1h..-5m", "now..", "-2h..+1h"); };
  const std::string equals = random.below(4) == 0 ? "!=" : "=";
  const auto term = [&](std::string_view field, std::string value) {
    return std::string{field} + equals + value + (random.below(4) == 0 ? "," + value : "");
  };
  switch (random.below(15)) {
    case 0:
      return term("state", pick("ready", "held", "running", "dead", "scheduled", "blocked", "succeeded",
                                "discarded,cancelled", "ready,running,held", "*ed", "d*"));
    case 1:
      return term("queue", pick("default", "mail", "*", "nowhere", "r?ports", "m*,d*"));
    case 2:
      return term("kind", pick("billing.*", "reports.monthly", "\"billing.*\"", "*.remind"));
    case 3:
      return term("tenant", pick("acme", "acme*", "none", "globex,initech", "nobody", "*e*", "\"acme\""));
    case 4:
      return term("generation", range(job.generation.value));
    case 5:
      return term("priority", range(job.priority.value) + ",2");
    case 6:
      return term("attempt", range(job.failures));
    case 7:
      return term("crash", range(job.crashes));
    case 8:
      return term("created", time());
    case 9:
      return term("due", time());
    case 10:
      return term("started", time());
    case 11:
      return term("finished", time());
    case 12:
      return term("age", pick("5m..", "..10m", "1m..1h", "30s"));
    case 13:
      return term("error", pick("Smtp*", "Boom", "\"\"", "\"SmtpTimeout: no, \"\"mx\"\"\"", "*"));
    default:
      return random.below(2) == 0
                 ? term("reason", pick("none", "expired", "retry_wait,not_due", "*o*"))
                 : term("id", pick(job.id.text(), job.id.text().substr(0, 30) + "*", "0?0*"));
  }
}

}  // namespace

TEST_P(ListSuite, SucceededJobsUpToTheFloorAreLeftOutAndAllOthersAreThere) {
  Random random{7};
  populate(random, 300);
  const std::vector<JobRecord> all = list({}, {.limit = 1'000});
  const auto rows = static_cast<std::int64_t>(all.size());
  const auto leaves_out = [&](const std::vector<std::string>& words, std::int64_t looks_max) {
    const Filter filter = filter_of(words, now_);
    const ListOptions options{.limit = 1'000, .looks_max = looks_max};
    const bool left_out =
        asked([&](JobReader& reader) { return reader.list_jobs(filter, options, now_); }).left_out;
    EXPECT_EQ(asked([&](JobReader& reader) { return reader.count_jobs(filter, options, now_); }).left_out,
              left_out);
    return left_out;
  };
  EXPECT_FALSE(leaves_out({"tenant=acme"}, rows + 1));
  EXPECT_FALSE(leaves_out({"tenant=acme"}, rows));
  EXPECT_TRUE(leaves_out({"tenant=acme"}, rows - 1));
  EXPECT_FALSE(leaves_out({}, 1)) << "nothing has to be looked for";
  EXPECT_FALSE(leaves_out({"tenant=acme", "state!=succeeded"}, 1));
  const JobSeq floor = all[100].seq;
  for (const auto& words : std::vector<std::vector<std::string>>{{},
                                                                 {"tenant=acme"},
                                                                 {"tenant=acme,globex"},
                                                                 {"tenant=acme*"},
                                                                 {"tenant=none"},
                                                                 {"tenant!=acme"},
                                                                 {"state=succeeded", "kind=reports.*"},
                                                                 {"tenant=acme", "error=\"\""},
                                                                 {"queue=mail"}}) {
    const Filter filter = filter_of(words, now_);
    std::vector<JobId> expected;
    for (const JobRecord& job : all)
      if (matches(filter, job, now_) &&
          (job.state != ShownState::succeeded || job.seq > floor || words.empty()))
        expected.push_back(job.id);
    ListOptions options{.limit = 1'000, .looks_max = 100};
    EXPECT_EQ(ids_of(list(filter, options)), expected) << ::testing::PrintToString(words);
    EXPECT_EQ(count(filter, options), std::ssize(expected)) << ::testing::PrintToString(words);
    options.order = ListOrder::oldest_first;
    std::ranges::reverse(expected);
    EXPECT_EQ(ids_of(list(filter, options)), expected) << ::testing::PrintToString(words);
  }
}

TEST_P(ListSuite, JobsAreListedNewestFirstOrOldestFirstInPages) {
  std::vector<JobId> all;
  for (int i = 0; i < 5; ++i) all.push_back(put().id);
  EXPECT_EQ(ids_of(list({}, {.limit = 50, .order = ListOrder::oldest_first})), all);
  EXPECT_EQ(ids_of(list({}, {.limit = 2, .after = JobSeq{2}, .order = ListOrder::oldest_first})),
            (std::vector<JobId>{all[2], all[3]}));
  std::ranges::reverse(all);
  EXPECT_EQ(ids_of(list({})), all);
  EXPECT_EQ(ids_of(list({}, {.limit = 2, .after = JobSeq{4}})), (std::vector<JobId>{all[2], all[3]}));
  EXPECT_TRUE(list({}, {.limit = 0}).empty());
}

// The clock stands still, so that all have one time; between two pages jobs come, end and go.
TEST_P(ListSuite, PagesShowEachJobOnceUnderEqualTimesWhateverHappensMeanwhile) {
  constexpr std::size_t kJobs = 50;
  for (const ListOrder order : {ListOrder::newest_first, ListOrder::oldest_first}) {
    const std::size_t there_before = list({}, {.limit = 1000}).size();
    for (std::size_t i = 0; i < kJobs; ++i) put();
    const auto expected = ids_of(list({}, {.limit = 1000, .order = order}));
    ASSERT_EQ(expected.size(), there_before + kJobs);
    std::vector<JobId> paged;
    ListOptions page{.limit = 7, .order = order};
    for (;;) {
      const auto jobs = list({}, page);
      for (const JobRecord& job : jobs) paged.push_back(job.id);
      if (jobs.size() < page.limit) break;
      page.after = jobs.back().seq;
      claim_one();
      if (order == ListOrder::newest_first) put();
    }
    EXPECT_EQ(paged, expected);
  }
}

TEST_P(ListSuite, StatesThatAreShownCanBeFiltered) {
  create_tenant("acme");
  const JobId held = put(new_job("acme")).id;
  const JobId running = put().id;
  claim_one();
  const JobId ready = put().id;
  set_tenant_state("acme", TenantState::paused);
  EXPECT_EQ(ids({"state=held"}), std::vector<JobId>{held});
  EXPECT_EQ(ids({"state=running"}), std::vector<JobId>{running});
  EXPECT_EQ(ids({"state=ready"}), std::vector<JobId>{ready});
  EXPECT_EQ(ids({"state!=ready,held"}), std::vector<JobId>{running});
  EXPECT_EQ(ids({"tenant=none", "state=*"}), (std::vector<JobId>{ready, running}));
}

TEST_P(ListSuite, CountsStopAtTheirLimit) {
  for (int i = 0; i < 5; ++i) put();
  EXPECT_EQ(count({}, {.limit = 4}), 4);
  EXPECT_EQ(count({}, {.limit = 5}), 5);
  EXPECT_EQ(count({}, {.limit = 6}), 5);
  EXPECT_EQ(count(filter_of({"error=\"\""}, now_), {.limit = 4}), 4) << "what SQL does not decide";
  EXPECT_EQ(count(filter_of({"state=succeeded"}, now_)), 0);
}

TEST_P(ListSuite, SER_11_ListsNeverDecodeAPayload) {
  NewJob job = new_job();
  job.arguments = "this is \xFF no JSON";
  put(job);
  EXPECT_EQ(ids({"kind=billing.*"}), std::vector<JobId>{job.id});
  EXPECT_EQ(count({}), 1);
  EXPECT_GT(record(job.id).size_bytes, static_cast<std::int64_t>(job.arguments.size()));
}

TEST_P(ListSuite, AListByAnyFilterIsTheListOfWhatMatches) {
  constexpr int kFilters = 400;
  Random random{20'261'121};
  populate(random, 250);
  const auto all = list({}, {.limit = 10'000});
  ASSERT_EQ(all.size(), 250U);
  int hits = 0;
  for (int i = 0; i < kFilters; ++i) {
    std::vector<std::string> words;
    for (std::uint64_t terms = 1 + random.below(3); terms > 0; --terms)
      words.push_back(random_term(random, all[random.below(all.size())]));
    const Filter filter = filter_of(words, now_);
    std::vector<JobId> expected;
    for (const JobRecord& job : all)
      if (matches(filter, job, now_)) expected.push_back(job.id);
    std::string text;
    for (const std::string& word : words) text += word + " ";
    SCOPED_TRACE(text);

    EXPECT_EQ(ids_of(list(filter, {.limit = 10'000})), expected);
    EXPECT_EQ(count(filter), static_cast<std::int64_t>(expected.size()));
    std::vector<JobId> paged;
    ListOptions page{.limit = 7, .order = ListOrder::oldest_first};
    for (;;) {
      const auto jobs = list(filter, page);
      for (const JobRecord& job : jobs) paged.push_back(job.id);
      if (jobs.size() < page.limit) break;
      page.after = jobs.back().seq;
    }
    std::ranges::reverse(paged);
    EXPECT_EQ(paged, expected) << "oldest first, in pages of seven";
    if (!expected.empty()) ++hits;
  }
  EXPECT_GT(hits, kFilters / 3) << "filters that match nothing prove little";
}

TEST_P(ListSuite, QueuesAndTenantsCountWhatWaitsRunsAndDied) {
  Random random{7};
  populate(random, 200);
  const auto all = list({}, {.limit = 10'000});
  const auto counted = [&](auto owner, ShownState state) {
    return std::ranges::count_if(all, [&](const JobRecord& job) { return owner(job) && job.state == state; });
  };
  const auto oldest = [&](auto owner) {
    std::optional<WallTime> due;
    for (const JobRecord& job : all)
      if (owner(job) && job.state == ShownState::ready && (!due || job.due < *due)) due = job.due;
    return due;
  };
  const auto queues = asked([](JobReader& reader) { return reader.queues(); });
  ASSERT_EQ(queues.size(), 3U);
  EXPECT_TRUE(std::ranges::is_sorted(queues, {}, &QueueRecord::name));
  for (const QueueRecord& queue : queues) {
    const auto owner = [&](const JobRecord& job) { return job.queue == queue.name; };
    EXPECT_EQ(queue.scheduled, counted(owner, ShownState::scheduled));
    EXPECT_EQ(queue.ready, counted(owner, ShownState::ready));
    EXPECT_EQ(queue.held, counted(owner, ShownState::held));
    EXPECT_EQ(queue.running, counted(owner, ShownState::running));
    EXPECT_EQ(queue.dead, counted(owner, ShownState::dead));
    EXPECT_EQ(queue.oldest_ready, oldest(owner));
  }
  const auto tenants = asked([](JobReader& reader) { return reader.tenants(TenantName{"acme"}, 2); });
  ASSERT_EQ(tenants.size(), 2U);
  EXPECT_EQ(tenants[0].tenant.name, TenantName{"acme-eu"});
  EXPECT_EQ(tenants[1].tenant.name, TenantName{"globex"});
  for (const TenantSummary& tenant : tenants) {
    const auto owner = [&](const JobRecord& job) { return job.tenant == tenant.tenant.name; };
    EXPECT_EQ(tenant.ready, counted(owner, ShownState::ready));
    EXPECT_EQ(tenant.held, counted(owner, ShownState::held));
    EXPECT_EQ(tenant.running, counted(owner, ShownState::running));
    EXPECT_EQ(tenant.dead, counted(owner, ShownState::dead));
    EXPECT_EQ(tenant.oldest_ready, oldest(owner));
  }
  EXPECT_GT(tenants[1].held, 0);
  EXPECT_EQ(tenants[1].ready, 0);
}

TEST_P(ListSuite, TheSummaryCountsJobsClaimsAndLiveTenants) {
  create_tenant("acme");
  create_tenant("gone");
  set_tenant_state("gone", TenantState::deleted);
  put();
  put();
  claim_one();
  const StoreSummary summary = asked([](JobReader& reader) { return reader.summary(); });
  EXPECT_EQ(summary.backend, GetParam().name == "Memory" ? "memory" : "sqlite");
  EXPECT_FALSE(summary.store_id.empty());
  EXPECT_EQ(summary.jobs, 2);
  EXPECT_EQ(summary.claims, 1);
  EXPECT_EQ(summary.tenants, 1);
  EXPECT_FALSE(summary.last_holder);
}

// More than a list looks at one by one, before it reads all lanes.
TEST_P(ListSuite, WhatWaitsIsListedOnceFromBeforeAndBehindManyThatDoNot) {
  constexpr int kScheduled = 20'100;
  std::vector<JobId> waiting;
  const auto enqueue_ready = [&](int jobs) {
    for (int i = 0; i < jobs; ++i) waiting.push_back(put().id);
  };
  enqueue_ready(20);
  for (const ClaimedJob& placed : claim(kUntenanted, 10).jobs)
    write([&](StoreWriter& writer) { value_or_raise(writer.release(ref(placed), false, {}, now_)); });
  write([&](StoreWriter& writer) {
    for (int i = 0; i < kScheduled; ++i) {
      NewJob job = new_job();
      job.due = now_ + hours{1};
      value_or_raise(writer.enqueue(job, now_));
    }
  });
  enqueue_ready(5);
  const Filter filter = filter_of({"state=ready"}, now_);
  EXPECT_EQ(count(filter), 25);
  EXPECT_EQ(count(filter, {.limit = 7}), 7);
  EXPECT_EQ(count({}), kScheduled + 25);
  for (const ListOrder order : {ListOrder::oldest_first, ListOrder::newest_first}) {
    ListOptions options{.limit = 7, .order = order};
    std::vector<JobId> seen;
    for (auto page = list(filter, options); !page.empty(); page = list(filter, options)) {
      for (const JobRecord& job : page) seen.push_back(job.id);
      options.after = page.back().seq;
    }
    EXPECT_EQ(seen, waiting) << (order == ListOrder::oldest_first ? "oldest" : "newest");
    EXPECT_EQ(ids_of(list(filter, {.limit = 100, .order = order})), waiting);
    std::ranges::reverse(waiting);
  }
}

INSTANTIATE_TEST_SUITE_P(EachStore, ListSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace tenure::testing
