#include "file_program.hpp"

#include <tenure/queue/dispatcher_lock.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

// Every reason there is, as `why` tells it of one job, of many, and as JSON. A new reason needs a line in scenarios().
namespace tenure::cli {
namespace {

using queue::JobReason;
using std::chrono::hours;
using std::chrono::minutes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<JobReason> all_reasons() {
  std::vector<JobReason> reasons;
  for (int number = 0; number < 256; ++number)
    if (name_of(static_cast<JobReason>(number)) != "unknown")
      reasons.push_back(static_cast<JobReason>(number));
  return reasons;
}

// How job 1, mail.send of acme in default, comes to wait for it or to end by it.
struct ReasonScenario {
  JobReason reason = JobReason::none;
  std::function<void()> arrange;
  std::vector<std::string> said;     // besides the reason itself: who, until when, what changes it
  std::vector<JobReason> also = {};  // that are said behind it, in this order
};

// A dispatcher that performs mail.send in default, in a pool of two slots, and one job.
class EveryReason : public FileProgram, public ::testing::WithParamInterface<JobReason> {
 protected:
  EveryReason() {
    who.login = "dana";
    add_tenant("acme");
    tell_pools({pool()});
    add_job(1, "acme", "mail.send");
  }

  static queue::PoolRecord pool() {
    return {.name = "general",
            .queues = {"default"},
            .workers = 1,
            .kinds = {"mail.send"},
            .processes = {{queue::ProcessNumber{3}, 2}}};
  }
  void write(const std::function<void(queue::StoreWriter&)>& verb) {
    store->write(queue::Durability::durable, verb);
  }
  void finish(queue::JobState state, JobReason reason) {
    const queue::ClaimedJob claimed = claim(1);
    write([&](queue::StoreWriter& writer) {
      value_or_raise(writer.finish({claimed.seq, claimed.token}, state, reason,
                                   {ErrorCode::handler_failed, "it said so"}, clock.wall()));
    });
  }
  void block(JobReason reason) {
    const queue::ClaimedJob claimed = claim(1);
    write([&](queue::StoreWriter& writer) {
      value_or_raise(writer.block({claimed.seq, claimed.token}, reason));
    });
  }
  void set_tenant(TenantState state) {
    execute("update tenant set state = " + std::to_string(static_cast<int>(state)));
  }
  void done(const std::vector<std::string>& arguments) { ASSERT_EQ(run(arguments), 0) << output.error; }
  std::string in(minutes later) const { return to_rfc3339(clock.wall() + later); }

  void start_as_often_as_may() {
    done({"limit", "set", "paced", "1/1h", "--kind", "mail.*"});
    write([&](queue::StoreWriter& writer) {
      const auto open = writer.open_limits(queue::LimitsMark{-1});
      const auto paced = std::ranges::find(open->limits, "paced", &queue::OpenLimit::name);
      const std::vector<queue::BucketNote> notes{
          {.bucket = {.group = {paced->number, {}, {}, {}}, .number = 1, .starts = 1, .is_last = true},
           .window = hours{1},
           .is_news = true}};
      writer.note_buckets(notes, clock.wall());
    });
  }
  void wait_for_its_key() {
    for (int seed = 20; seed <= 21; ++seed) {
      done({"job", "enqueue", "mail.send", "--tenant", "acme", "--id", job_id(seed).text(),
            "--concurrency-key", "reports"});
      if (seed == 20) hold(seed);
    }
    asked_ = job_id(21);
  }
  void find_its_tenant_behind() {
    queue::PoolRecord wants = pool();
    wants.schemas = {{"mail.send", 2}};
    tell_pools({wants});
    write([&](queue::StoreWriter& writer) {
      writer.note_behind({store->registry().find(TenantName("acme"))->number, 2,
                          "the database of acme has had 1 of the 2 migrations", clock.wall()});
    });
  }

  // As far as that a copy takes the place of its database, but for files.
  void put_back_its_tenant() {
    const TenantName acme("acme");
    write([&](queue::StoreWriter& writer) {
      value_or_raise(writer.begin_restore(
          {.tenant = acme, .copied = clock.wall(), .copied_generation = Generation{1}}, clock.wall()));
      value_or_raise(writer.hold_for_restore(job_id(1)));
      value_or_raise(writer.begin_next(acme, 0, clock.wall() + hours{1}, clock.wall()));
    });
  }

  std::vector<ReasonScenario> final_scenarios() {
    const auto dead = [this](JobReason reason) {
      return [this, reason] { finish(queue::JobState::dead, reason); };
    };
    const std::string retry = "change     tenure job retry " + job_id(1).text();
    return {
        {JobReason::none, [this] { succeed(1); }, {"decided by its run, which succeeded\n"}},
        {JobReason::attempts_exhausted,
         dead(JobReason::attempts_exhausted),
         {"error      it said so\n", retry}},
        {JobReason::permanent_error, dead(JobReason::permanent_error), {"error      it said so\n", retry}},
        {JobReason::poison,
         [this] {
           const queue::ClaimedJob claimed = claim(1);
           write([&](queue::StoreWriter& writer) {
             value_or_raise(writer.reclaim({claimed.seq, claimed.token}, queue::CrashCharge::poison,
                                           {ErrorCode::interrupted, "signal 11"}, clock.wall()));
           });
         },
         {"it ended its worker process, or the daemon, too often", retry}},
        {JobReason::expired,
         [this] { finish(queue::JobState::discarded, JobReason::expired); },
         {"its start-before time, which had passed", retry}},
        {JobReason::by_rule,
         [this] { finish(queue::JobState::discarded, JobReason::by_rule); },
         {"a rule of its kind, or its handler", retry}},
        {JobReason::by_operator,
         [this] {
           done({"job", "cancel", job_id(1).text()});
         },
         {retry}},
        {JobReason::time_exhausted, dead(JobReason::time_exhausted), {"the time for its retries", retry}},
    };
  }

  std::vector<ReasonScenario> own_scenarios() {
    const std::string job_run = "change     tenure job run " + job_id(1).text();
    const std::string cancel = "change     tenure job cancel " + job_id(1).text();
    return {
        {JobReason::not_due,
         [this] {
           add_job(9, "acme", "mail.send", "{}", hours{1});
           asked_ = job_id(9);
           until_ = in(hours{1});
         },
         {"waits for  its time (not_due)\n", "change     tenure job run " + job_id(9).text()}},
        {JobReason::retry_wait,
         [this] {
           fail_once(1, "SmtpTimeout: no answer");
           until_ = to_rfc3339(clock.wall() + std::chrono::seconds(41));
           since_ = to_rfc3339(clock.wall());
         },
         {job_run}},
        {JobReason::put_off,
         [this] {
           const queue::ClaimedJob claimed = claim(1);
           write([&](queue::StoreWriter& writer) {
             value_or_raise(writer.put_off({claimed.seq, claimed.token}, clock.wall() + hours{2},
                                           {ErrorCode::handler_failed, "later"}, clock.wall()));
           });
           until_ = in(hours{2});
         },
         {job_run}},
        {JobReason::envelope_newer,
         [this] { block(JobReason::envelope_newer); },
         {"until      a worker process of a newer program says hello\n", "systemctl reload tenured"}},
        {JobReason::suspect,
         [this] { suspect(1); },
         {"its turn to run by itself, since the daemon or its worker process died under it", cancel}},
        {JobReason::limit_key,
         [this] { wait_for_its_key(); },
         {"key        \"reports\": 1 of 1 run; 0 jobs of its tenant before it\n",
          "key        " + job_id(20).text() + " runs since "}},
        {JobReason::schedule_overlap,
         [this] { block(JobReason::schedule_overlap); },
         {"the end of the job of its schedule before it", cancel}},
        {JobReason::generation,
         [this] { put_back_its_tenant(); },
         {"an operator: its tenant was put back from a copy", "change     tenure tenant reconcile acme\n"}},
        {JobReason::row_refused,
         [this] { execute("update job set priority = 200; update ready set priority = 200"); },
         {"waits for  nobody: ", cancel}},
    };
  }

  std::vector<ReasonScenario> lane_scenarios() {
    const auto becomes = [this](TenantState state) { return [this, state] { set_tenant(state); }; };
    const auto pause = [this](const std::string& noun, const std::string& name) {
      return [this, noun, name] {
        done({noun, "pause", name, "--until", "2h", "--reason", "disk is full"});
        until_ = in(hours{2});
        since_ = to_rfc3339(clock.wall());
        clock.advance(minutes{1});
      };
    };
    const auto paused = [](const std::string& scope) {
      return "paused     " + scope +
             " by dana, 2026-03-02T10:14:00Z, until 2026-03-02T12:14:00Z: disk is full\n";
    };
    return {
        {JobReason::kind_unknown,
         [this] { asked_ = add("mail.sned", "default"); },
         {"until      a worker process of its pools has a handler for mail.sned\n"}},
        {JobReason::queue_without_pool,
         [this] { asked_ = add("mail.send", "exports"); },
         {"until      a pool of tenured lists exports\n", "systemctl restart tenured"}},
        {JobReason::tenant_without_pool,
         [this] {
           queue::PoolRecord others = pool();
           others.tenants = {queue::PoolTenants::Rule::all_but, {"acme"}};
           tell_pools({others});
         },
         {"until      a pool of tenured that lists default takes tenant acme\n", "systemctl reload tenured"}},
        {JobReason::pool_without_worker,
         [this] {
           queue::PoolRecord away = pool();
           away.workers = 0;
           away.processes.clear();
           tell_pools({away});
         },
         {"journalctl -u tenured says why none does"}},
        {JobReason::tenant_paused,
         pause("tenant", "acme"),
         {paused("tenant"), "change     tenure tenant resume acme\n"}},
        {JobReason::tenant_read_only,
         becomes(TenantState::read_only),
         {"waits for  tenant read_only (", "change     tenure tenant set acme read_only=false\n"}},
        {JobReason::tenant_not_ready,
         becomes(TenantState::provisioning),
         {"waits for  tenant provisioning (", "change     tenure tenant create acme\n"}},
        {JobReason::tenant_deleted, becomes(TenantState::deleted), {"nobody, since its tenant is deleted"}},
        {JobReason::queue_paused,
         pause("queue", "default"),
         {paused("queue"), "change     tenure queue resume default\n"}},
        {JobReason::kind_paused,
         pause("kind", "mail.send"),
         {paused("kind"), "change     tenure kind resume mail.send\n"}},
        {JobReason::limit_cap,
         [this] {
           done({"limit", "set", "one-at-a-time", "1", "--kind", "mail.*", "--per", "tenant"});
           add_job(2, "acme", "mail.send");
           hold(2);
         },
         {"limit      one-at-a-time: of tenant acme 1 of 1 run\n", job_id(2).text() + " runs since ",
          "change     tenure limit set one-at-a-time 2\n"}},
        {JobReason::limit_rate,
         [this] {
           start_as_often_as_may();
           until_ = in(hours{1});
         },
         {"paced: 1/1h have started", "change     tenure limit set paced 2/1h\n"}},
        {JobReason::schema_behind,
         [this] {
           find_its_tenant_behind();
           since_ = to_rfc3339(clock.wall());
           clock.advance(minutes{1});
         },
         {"the database of acme has had 1 of the 2 migrations", "tenure tenant migrate name=acme"}},
        {JobReason::no_dispatcher,
         [this] { lock_.reset(); },
         {"until      tenured runs\nchange     systemctl start tenured\n"}},
    };
  }

  std::vector<ReasonScenario> turn_scenarios() {
    return {
        {JobReason::tenant_busy,
         [this] {
           give_back(1, ErrorCode::tenant_unavailable, "there is no file");
           since_ = to_rfc3339(clock.wall());
         },
         {"released   ", ": TenantUnavailable: there is no file\n"}},
        {JobReason::slots_full,
         [this] {
           for (int seed = 2; seed <= 3; ++seed) {
             add_job(seed, "acme", "mail.send");
             hold(seed);
           }
         },
         {"general (0 of 2 slots free)\n", "give a [[pool]] more slots"},
         {JobReason::tenant_turn}},
        {JobReason::slots_reserved,
         [this] {
           queue::PoolRecord urgent = pool();
           urgent.reserved = {{queue::Priority{-10}, 1}};
           tell_pools({urgent});
           add_job(2, "acme", "mail.send");
           hold(2);
         },
         {"of which the free ones are kept for better priorities", "change reserved of a [[pool]]"},
         {JobReason::tenant_turn}},
        {JobReason::tenant_turn,
         [this] {
           add_tenant("corvid");
           add_job(2, "corvid", "mail.send");
           add_job(3, "acme", "mail.send");
           asked_ = job_id(3);
           environment.ask_daemon =
               [](const auto&, std::string_view,
                  std::chrono::milliseconds) -> tl::expected<std::string, FailedExchange> {
             return R"({"status":200,"body":{"items":[],"pools":[{"name":"general","quiet":null,"slots":2,"busy":1,)"
                    R"("tenants_before":1,"capped":false,"expected_ms":40000}]}})";
           };
         },
         {"ahead      1 job of its lane; 1 other tenant has ready jobs",
          "turn       after 1 other tenant in pool general, of whose slots 1 of 2 perform; starts in about "
          "40 s\n"}},
    };
  }

  std::vector<ReasonScenario> scenarios() {
    std::vector<ReasonScenario> all;
    for (auto part : {final_scenarios(), own_scenarios(), lane_scenarios(), turn_scenarios()})
      std::ranges::move(part, std::back_inserter(all));
    return all;
  }

  void expect_texts(const ReasonScenario& scenario, bool has_ended) {
    std::vector<std::string> texts = scenario.said;
    if (!has_ended) texts.push_back("(" + std::string{name_of(scenario.reason)} + ")\n");
    if (!since_.empty()) texts.push_back("since      " + since_);
    if (!until_.empty()) texts.push_back("until      " + until_);
    for (const std::string& text : texts) EXPECT_THAT(output.out, HasSubstr(text));
    EXPECT_THAT(output.out, Not(HasSubstr("what its row does not say")));
  }

  queue::JobId add(std::string_view kind, std::string_view queue) {
    add_job(9, "acme", kind, "{}", {}, queue);
    return job_id(9);
  }
  // In the order in which they are said.
  static std::vector<std::string> reasons_in(std::string_view json) {
    std::vector<std::string> names;
    const std::size_t begin = json.find("\"reasons\":[");
    const std::string_view list = json.substr(begin, json.find("],\"decided_by\"") - begin);
    constexpr std::string_view kMember = "\"reason\":\"";
    for (std::size_t at = list.find(kMember); at != std::string_view::npos; at = list.find(kMember, at + 1))
      names.emplace_back(
          list.substr(at + kMember.size(), list.find('"', at + kMember.size()) - at - kMember.size()));
    return names;
  }

  std::optional<Descriptor> lock_ = value_or_raise(queue::try_lock_dispatcher_file(path));
  queue::JobId asked_ = job_id(1);
  std::string since_, until_;  // "" where nobody keeps or knows it
};

std::string name_of_case(const ::testing::TestParamInfo<JobReason>& each) {
  return std::string{name_of(each.param)};
}

}  // namespace

TEST_P(EveryReason, OBS_01_IsSaidFirstWhereItDecidesWithAllOthersAndWhoUntilWhenAndWhatChangesIt) {
  const auto all = scenarios();
  const auto found = std::ranges::find(all, GetParam(), &ReasonScenario::reason);
  ASSERT_NE(found, all.end()) << "the reason " << name_of(GetParam()) << " (" << static_cast<int>(GetParam())
                              << ") has no scenario: add one here, and its words to cli/src/reason_words.cpp";
  const std::string word{name_of(found->reason)};
  found->arrange();
  ASSERT_EQ(run({"why", asked_.text(), "--utc"}), 0) << output.error;
  const bool has_ended = output.out.find("decided by ") != std::string::npos;
  expect_texts(*found, has_ended);

  ASSERT_EQ(run({"why", asked_.text(), "--json"}), 0) << output.error;
  std::vector<std::string> expected;
  if (!has_ended) expected.push_back(word);
  for (const JobReason also : found->also) expected.emplace_back(name_of(also));
  EXPECT_EQ(reasons_in(output.out), expected) << output.out;
  if (!until_.empty()) {
    EXPECT_THAT(output.out, HasSubstr("\"until\":\"" + until_ + "\",\"until_text\""));
  }

  ASSERT_EQ(run({"why", "id=" + asked_.text(), "--columns", "reason,jobs"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr((found->reason == JobReason::none ? "-" : word)));
}

INSTANTIATE_TEST_SUITE_P(Each, EveryReason, ::testing::ValuesIn(all_reasons()), name_of_case);

// Those of its own row, its tenant, pauses, pools and limits at once.
class ManyReasons : public EveryReason {};

TEST_P(ManyReasons, AreAllSaidInTheOrderInWhichTheyDecide) {
  done({"limit", "set", "one-at-a-time", "1", "--kind", "mail.*"});
  start_as_often_as_may();
  fail_once(1, "SmtpTimeout: no answer");
  add_job(2, "acme", "mail.send");
  hold(2);
  for (const auto& [noun, name] : {std::pair{"tenant", "acme"}, {"queue", "default"}, {"kind", "mail.send"}})
    done({noun, "pause", name});
  queue::PoolRecord away = pool();
  away.workers = 0;
  tell_pools({away});
  lock_.reset();
  ASSERT_EQ(run({"why", job_id(1).text(), "--json"}), 0) << output.error;
  EXPECT_THAT(reasons_in(output.out),
              ElementsAre("retry_wait", "tenant_paused", "queue_paused", "kind_paused", "no_dispatcher",
                          "pool_without_worker", "limit_cap", "limit_rate"));
  ASSERT_EQ(run({"why", job_id(1).text()}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("waits for  its retry (retry_wait)\n"));
  for (const char* const scope : {"tenant", "queue", "kind"})
    EXPECT_THAT(output.out, HasSubstr("paused     " + std::string(scope) + " by dana, "));
}

INSTANTIATE_TEST_SUITE_P(Once, ManyReasons, ::testing::Values(JobReason::retry_wait), name_of_case);

}  // namespace tenure::cli
