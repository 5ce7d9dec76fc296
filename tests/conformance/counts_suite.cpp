#include "store_suite.hpp"

#include <tenure/base/random.hpp>

#include <array>
#include <map>
#include <string>
#include <tuple>
#include <vector>

// Counts against the listing: of each tenant, queue and state, and all together.
namespace tenure::testing {

class CountsSuite : public StoreSuite {
 protected:
  static constexpr std::array kTenants{"acme", "globex", "paused"};
  static constexpr std::array kQueues{"default", "reports", "mailers"};
  static constexpr std::size_t kAll = 100'000;
  using Group = std::tuple<std::string, std::string, ShownState>;  // tenant, queue, state

  void prepare() {
    numbers_ = {kUntenanted};
    for (const char* tenant : kTenants) numbers_.push_back(create_tenant(tenant).number);
    set_tenant_state("paused", TenantState::paused);
  }

  void act() {
    switch (random_.below(8)) {
      case 0:
      case 1:
      case 2:
        return put_one();
      case 3: {
        auto reply = claim(numbers_[random_.below(numbers_.size())], 1 + random_.below(3));
        running_.insert(running_.end(), reply.jobs.begin(), reply.jobs.end());
        return;
      }
      case 4:
      case 5:
        return end_one();
      case 6:
        return act_as_operator();
      default:
        advance(seconds{20});
        write([&](StoreWriter& writer) { static_cast<void>(writer.promote(now_, 2)); });
        return static_cast<void>(store().tidy());
    }
  }

  // What a daemon leaves that died, taken up by the next one: some of it as suspects.
  void crash() {
    write([&](StoreWriter& writer) {
      const Incarnation next{kLife.value + ++lives_};
      static_cast<void>(writer.open_incarnation(next.value, "node", 1, now_));
      for (const FormerClaim& former : writer.former_claims(next, 1))
        value_or_raise(writer.suspect(former.claim, CrashCharge::counted, {}, now_));
      static_cast<void>(writer.reclaim_of_former_holders(next, kAll, now_));
    });
    running_.clear();
  }

  void expect_agreement() {
    world_->of_another_process().read([&](JobReader& reader) {
      const auto jobs = reader.list_jobs({}, {.limit = kAll}, now_).jobs;
      EXPECT_EQ(reader.summary().jobs, std::ssize(jobs));
      std::map<Group, std::int64_t> listed;
      for (const JobRecord& job : jobs)
        ++listed[{job.tenant ? job.tenant->text() : "none", job.queue, job.state}];
      std::int64_t total = 0;
      for (const char* tenant : {"none", "acme", "globex", "paused"})
        for (const char* queue : kQueues)
          for (const ShownState state : kStates) {
            const auto found = listed.find({tenant, queue, state});
            const std::int64_t count = counted(reader, tenant, queue, state);
            EXPECT_EQ(count, found == listed.end() ? 0 : found->second)
                << tenant << ' ' << queue << ' ' << state;
            total += count;
          }
      EXPECT_EQ(total, std::ssize(jobs));
      expect_summaries(reader, listed);
    });
  }

 private:
  static constexpr std::array kStates{ShownState::scheduled, ShownState::ready,     ShownState::held,
                                      ShownState::running,   ShownState::blocked,   ShownState::succeeded,
                                      ShownState::dead,      ShownState::discarded, ShownState::cancelled};

  std::int64_t counted(JobReader& reader, const char* tenant, const char* queue, ShownState state) const {
    Filter filter;
    filter.terms.push_back({FilterField::tenant, false, {Glob{tenant, true}}});
    filter.terms.push_back({FilterField::queue, false, {Glob{queue, true}}});
    filter.terms.push_back({FilterField::state, false, {Glob{std::string{name_of(state)}, true}}});
    return reader.count_jobs(filter, {.limit = kAll}, now_).count;
  }

  static std::int64_t sum_of(const std::map<Group, std::int64_t>& listed, std::string_view tenant,
                             std::string_view queue, ShownState state) {
    std::int64_t sum = 0;
    for (const auto& [group, count] : listed)
      if ((tenant.empty() || std::get<0>(group) == tenant) &&
          (queue.empty() || std::get<1>(group) == queue) && std::get<2>(group) == state)
        sum += count;
    return sum;
  }

  static void expect_summaries(JobReader& reader, const std::map<Group, std::int64_t>& listed) {
    for (const QueueRecord& queue : reader.queues()) {
      const auto sum = [&](ShownState state) { return sum_of(listed, {}, queue.name, state); };
      EXPECT_EQ(queue.scheduled, sum(ShownState::scheduled)) << queue.name;
      EXPECT_EQ(queue.ready, sum(ShownState::ready)) << queue.name;
      EXPECT_EQ(queue.held, sum(ShownState::held)) << queue.name;
      EXPECT_EQ(queue.running, sum(ShownState::running)) << queue.name;
      EXPECT_EQ(queue.dead, sum(ShownState::dead)) << queue.name;
    }
    for (const TenantSummary& tenant : reader.tenants({}, kAll)) {
      const std::string name = tenant.tenant.name.text();
      const auto sum = [&](ShownState state) { return sum_of(listed, name, {}, state); };
      EXPECT_EQ(tenant.ready, sum(ShownState::ready)) << name;
      EXPECT_EQ(tenant.held, sum(ShownState::held)) << name;
      EXPECT_EQ(tenant.running, sum(ShownState::running)) << name;
      EXPECT_EQ(tenant.dead, sum(ShownState::dead)) << name;
    }
  }

  void put_one() {
    const std::size_t tenant = random_.below(kTenants.size() + 1);
    NewJob job = tenant < kTenants.size() ? new_job(kTenants[tenant]) : new_job();
    job.queue = kQueues[random_.below(kQueues.size())];
    if (random_.below(4) == 0) job.due = now_ + seconds{30};
    ids_.push_back(put(job).id);
  }

  void end_one() {
    if (running_.empty()) return;
    const ClaimRef claim = ref(running_.back());
    running_.pop_back();
    const AttemptFailure failure{ErrorCode::handler_failed, "no"};
    write([&](StoreWriter& writer) {
      switch (random_.below(5)) {
        case 0:
          return value_or_raise(writer.finish_succeeded(claim, now_));
        case 1:
          return value_or_raise(writer.finish(claim, JobState::dead, JobReason::by_rule, failure, now_));
        case 2:
          return value_or_raise(writer.retry(claim, now_ + seconds{30}, failure, now_));
        case 3:
          return value_or_raise(writer.block(claim, JobReason::envelope_newer));
        default:
          return value_or_raise(writer.release(claim, true, failure, now_));
      }
    });
  }

  // Also on jobs that it may not be done to.
  void act_as_operator() {
    if (ids_.empty()) return;
    const JobId id = ids_[random_.below(ids_.size())];
    write([&](StoreWriter& writer) {
      switch (random_.below(5)) {
        case 0:
          return static_cast<void>(writer.cancel_by_operator(id, now_));
        case 1:
          return static_cast<void>(writer.retry_by_operator(id, now_));
        case 2:
          return static_cast<void>(writer.discard_by_operator(id, now_));
        case 3:
          return static_cast<void>(writer.delete_by_operator(id));
        default:
          return static_cast<void>(writer.change_by_operator(
              id, {.queue = kQueues[random_.below(kQueues.size())], .due = now_ + seconds{15}}, now_));
      }
    });
  }

  Random random_{20'261'129};
  std::vector<TenantNumber> numbers_;
  std::vector<JobId> ids_;
  std::vector<ClaimedJob> running_;
  std::int64_t lives_ = 0;
};

TEST_P(CountsSuite, OBS_02_CountsEqualTheListingAndSumToTheTotalAfterCrashesToo) {
  prepare();
  for (int round = 0; round < 12; ++round) {
    for (int step = 0; step < 60; ++step) act();
    expect_agreement();
    EXPECT_THROW(write([&](StoreWriter& writer) {
                   static_cast<void>(value_or_raise(writer.enqueue(new_job(), now_)));
                   throw Abandoned{};
                 }),
                 Abandoned);
    if (round % 2 == 1) crash();
    expect_agreement();
  }
}

INSTANTIATE_TEST_SUITE_P(EachStore, CountsSuite,
                         ::testing::Values(StoreFactory{"Memory", &make_memory_world},
                                           StoreFactory{"Sqlite", &make_sqlite_world},
                                           StoreFactory{"SqliteEager", &make_eager_sqlite_world}),
                         [](const auto& each) { return std::string{each.param.name}; });

}  // namespace tenure::testing
