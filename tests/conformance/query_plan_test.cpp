#include "sqlite/audit_rows.hpp"
#include "sqlite/cancel_requests.hpp"
#include "sqlite/defect_places.hpp"
#include "sqlite/defects.hpp"
#include "sqlite/ended_jobs.hpp"
#include "sqlite/failure_counts.hpp"
#include "sqlite/free_pages.hpp"
#include "sqlite/job_owner.hpp"
#include "sqlite/key_rows.hpp"
#include "sqlite/outbox_rows.hpp"
#include "sqlite/pause_rows.hpp"
#include "sqlite/pools.hpp"
#include "sqlite/restore_rows.hpp"
#include "sqlite/result_rows.hpp"
#include "sqlite/seal_marks.hpp"
#include "sqlite/sqlite_erasing.hpp"
#include "sqlite/sqlite_limits.hpp"
#include "sqlite/sqlite_reader.hpp"
#include "sqlite/sqlite_registry.hpp"
#include "sqlite/sqlite_writer.hpp"
#include "sqlite/start_times.hpp"
#include "sqlite/tenant_life_rows.hpp"
#include "sqlite/tenant_ranges.hpp"
#include "sqlite/tenant_rows.hpp"
#include "sqlite/tenant_schema_rows.hpp"
#include "sqlite/told_by_runs.hpp"
#include "support/golden.hpp"
#include "support/temporary_folder.hpp"

#include <tenure/queue/sqlite_store.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>

// How SQLite finds the rows of every query, held against golden files: a lost index shows in review and not in production.
namespace tenure::testing {
namespace {

using namespace queue;  // NOLINT: the queries of every source

class QueryPlans : public ::testing::Test {
 protected:
  QueryPlans() {
    VirtualClock clock;
    static_cast<void>(open_sqlite_store({.path = folder_ / "control.db", .create = true}, clock));
    connection_.emplace(folder_ / "control.db", sqlite::ConnectionOptions{});
  }

  std::string plan_of(const sqlite::Query& query) {
    texts_.push_back("explain query plan " + std::string{query.sql});
    queries_.push_back({query.name, texts_.back()});
    auto row = connection_->statement(queries_.back());
    std::map<std::int64_t, int> depths{{0, 0}};
    std::string plan{query.name};
    plan += '\n';
    while (row.step()) {
      const int depth = depths[row.integer(1)] + 1;
      depths[row.integer(0)] = depth;
      plan += std::string(static_cast<std::size_t>(depth) * 2, ' ') + std::string{row.text(3)} + '\n';
    }
    return plan;
  }

  // What the bytecode opens to keep rows for the time of one run.
  std::string scratch_tables_of(const sqlite::Query& query) {
    texts_.push_back("explain " + std::string{query.sql});
    queries_.push_back({query.name, texts_.back()});
    auto row = connection_->statement(queries_.back());
    std::string found;
    while (row.step())
      if (const std::string opcode{row.text(1)};
          opcode == "OpenEphemeral" || opcode == "OpenAutoindex" || opcode == "SorterOpen")
        found += std::string{query.name} + ": " + opcode + '\n';
    return found;
  }

  std::string plans_of(const std::vector<const sqlite::Query*>& queries) {
    std::string text;
    for (const sqlite::Query* query : queries) text += plan_of(*query);
    return text;
  }

  TemporaryFolder folder_;
  std::optional<sqlite::Connection> connection_;
  std::deque<std::string> texts_;  // queries are known by their address, so they stay where they are
  std::deque<sqlite::Query> queries_;
};

struct Source {
  const char* name;
  std::vector<const sqlite::Query*> (*queries)();
};
constexpr std::array kSources{Source{"names", &name_queries},
                              Source{"tenant_rows", &tenant_row_queries},
                              Source{"enqueue", &enqueue_queries},
                              Source{"claim", &claim_queries},
                              Source{"endings", &ending_queries},
                              Source{"moves", &move_queries},
                              Source{"suspects", &suspect_queries},
                              Source{"operators", &operator_queries},
                              Source{"places", &place_queries},
                              Source{"fresh", &fresh_queries},
                              Source{"ended", &ended_queries},
                              Source{"ended_lookup", &ended_lookup_queries},
                              Source{"lanes", &lane_queries},
                              Source{"reader", &reader_queries},
                              Source{"list", &list_queries},
                              Source{"candidates", &candidate_queries},
                              Source{"filter", &filter_queries},
                              Source{"summaries", &summary_queries},
                              Source{"why", &why_queries},
                              Source{"registry", &registry_queries},
                              Source{"tenant_ranges", &tenant_range_queries},
                              Source{"pools", &pool_queries},
                              Source{"cancel_requests", &cancel_request_queries},
                              Source{"expiry", &expiry_queries},
                              Source{"start_times", &start_time_queries},
                              Source{"failure_counts", &failure_count_queries},
                              Source{"retention", &retention_queries},
                              Source{"captures", &capture_queries},
                              Source{"batches", &batch_queries},
                              Source{"fan_outs", &fan_out_queries},
                              Source{"schedules", &schedule_queries},
                              Source{"keys", &key_queries},
                              Source{"limits", &limit_queries},
                              Source{"told_by_runs", &told_by_runs_queries},
                              Source{"audit", &audit_queries},
                              Source{"outbox", &outbox_queries},
                              Source{"pause", &pause_queries},
                              Source{"tenant_life", &tenant_life_queries},
                              Source{"tenant_restore", &tenant_restore_queries},
                              Source{"erasing", &erasing_queries},
                              Source{"free_pages", &free_page_queries},
                              Source{"tenant_schema", &tenant_schema_queries},
                              Source{"limit_rule", &limit_rule_queries},
                              Source{"restore", &restore_queries},
                              Source{"results", &result_queries},
                              Source{"job_owner", &job_owner_queries},
                              Source{"seal_marks", &seal_mark_queries},
                              Source{"defects", &defect_queries},
                              Source{"defect_places", &defect_place_queries},
                              Source{"inspection", &inspection_queries}};

}  // namespace

TEST_F(QueryPlans, AreThoseOfTheGoldenFiles) {
  for (const Source& source : kSources)
    expect_golden(plans_of(source.queries()), std::filesystem::path{GOLDEN_FOLDER} /
                                                  ("query_plans_" + std::string{source.name} + ".txt"));
}

TEST_F(QueryPlans, OfTheHotPathNeitherScanNorSort) {
  for (const auto& queries : {enqueue_queries(), claim_queries(), ending_queries()}) {
    const std::string plans = plans_of(queries);
    EXPECT_EQ(plans.find("SCAN"), std::string::npos) << plans;
    EXPECT_EQ(plans.find("TEMP B-TREE"), std::string::npos) << plans;
  }
}

// A check `in (1, 2, ...)` of more than two values is a table that each insert and update builds anew and that no plan shows.
TEST_F(QueryPlans, OfTheHotPathBuildNoTableForOneRun) {
  std::string found;
  for (const auto& queries :
       {name_queries(), enqueue_queries(), claim_queries(), ending_queries(), move_queries(),
        operator_queries(), place_queries(), fresh_queries(), ended_queries(), registry_queries(),
        cancel_request_queries(), told_by_runs_queries(), start_time_queries(), expiry_queries(),
        failure_count_queries(), key_queries(), limit_queries()})
    for (const sqlite::Query* query : queries) found += scratch_tables_of(*query);
  // Reads the table that it writes, and is rare.
  EXPECT_EQ(found, "insert_lost_attempt: OpenEphemeral\n");
}

TEST_F(QueryPlans, TheClaimSeeksToItsCursorInBothColumns) {
  const std::string plan = plans_of(claim_queries());
  EXPECT_NE(plan.find("kind=? AND (due_us,seq)>(?,?) AND (due_us,seq)<(?,?)"), std::string::npos) << plan;
}

// A filter that names tenants finds their ready jobs by the lanes, and a page of the table begins where it is asked for.
TEST_F(QueryPlans, OfListsSeek) {
  const std::string plans = plans_of(candidate_queries());
  for (const std::string_view seek :
       {"ready_rows_of_tenant\n  SEARCH ready USING PRIMARY KEY (queue=? AND priority=? AND tenant=?)",
        "walk_newest\n  SEARCH job USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        "fresh_rows\n  SEARCH job USING INTEGER PRIMARY KEY (rowid>?)",
        "failed_rows\n  SEARCH job USING COVERING INDEX job_failed (state=?"})
    EXPECT_NE(plans.find(seek), std::string::npos) << seek << '\n' << plans;
}

TEST_F(QueryPlans, AreTheSameWithAHundredThousandJobs) {
  const auto plans = [&] {
    return plans_of(candidate_queries()) + plans_of(claim_queries()) + plans_of(fresh_queries());
  };
  const std::string before = plans();
  connection_->execute({"fill", R"sql(
    begin;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
    insert into job(id, state, tenant, queue, kind, priority, due_us, created_us, attempts_max, started_us, finished_us,
                    envelope)
    select cast(printf('%016d', i) as blob), case when i % 10 = 0 then 2 when i % 97 = 0 then 5 else 4 end, i % 50, i % 3, 1, 0,
           i, i, 10, i, i, x'00' from n;
    insert into ready(queue, priority, tenant, kind, due_us, seq)
    select queue, priority, tenant, kind, due_us, seq from job where state = 2;
    commit)sql"});
  EXPECT_EQ(plans(), before);
}

// The writer's lock is held meanwhile.
TEST_F(QueryPlans, OfTheRegistryScanOnlyWhereTheyOnlyRead) {
  for (const sqlite::Query* query : registry_queries()) {
    if (query->name == "has_jobs") continue;
    EXPECT_EQ(plan_of(*query).find("SCAN"), std::string::npos) << query->name;
  }
}

// As when an operator mends: what is wrong was found by a reader, and is looked at again by its key.
TEST_F(QueryPlans, OfMendingScanOnlyWhereTheyOnlyRead) {
  constexpr std::array<std::string_view, 4> kOfReaders{"blocked_without_cause", "ranges_of_jobs",
                                                       "overlapping_ranges", "stray_"};
  int mending = 0;
  for (const sqlite::Query* query : defect_place_queries()) {
    if (std::ranges::any_of(kOfReaders, [&](auto front) { return query->name.starts_with(front); })) continue;
    EXPECT_EQ(plan_of(*query).find("SCAN"), std::string::npos) << query->name;
    ++mending;
  }
  EXPECT_EQ(mending, 19);
}

TEST_F(QueryPlans, NamesOfQueriesAreUnique) {
  std::set<std::string_view> names;
  for (const Source& source : kSources)
    for (const sqlite::Query* query : source.queries())
      EXPECT_TRUE(names.insert(query->name).second) << query->name;
}

}  // namespace tenure::testing
