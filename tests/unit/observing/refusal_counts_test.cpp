#include "simulated.hpp"

#include <tenure/queue/audit.hpp>

#include <gmock/gmock.h>

#include <observing/metric_table.hpp>
#include <observing/metrics.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What an operator sees of a run that was refused for its tenant.
namespace tenure::daemon {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A job that ends with that error each time.
class RefusalCounts {
 public:
  explicit RefusalCounts(ErrorCode code) : sim_(options(code)), metrics_(metrics_options(), now()) {
    sim_->on_step = [this](const Event& event, const Actions& actions) {
      metrics_.happened(event, now());
      metrics_.decided(actions, now());
    };
    (void)sim_->enqueue({});
    sim_->start();
    sim_->run_for(100ms);
  }
  double counted(std::string_view error) {
    const Labels labels{{"error", std::string{error}}};
    const MetricFamilies families = metrics_.collect(now());
    for (const MetricFamily& family : families.all())
      if (family.info.name == metric::kTenantRefusals.name)
        for (const MetricPoint& point : family.points)
          if (point.labels == labels) return point.value;
    return 0;
  }
  std::vector<std::string> audit_rows() {
    std::vector<std::string> rows;
    sim_.store->read([&](queue::JobReader& reader) {
      reader.for_each_audit(std::nullopt, [&](const queue::AuditRecord& record) {
        rows.push_back(record.entry.verb + ": " + record.entry.reason);
        return true;
      });
    });
    return rows;
  }

 private:
  static simulation::Options options(ErrorCode code) {
    auto options = one_pool(1, 1);
    options.perform = [code](const queue::ClaimedJob&) {
      return simulation::Performance{.run_time = 1ms, .result = RunResult::failed, .failure = {code, "no"}};
    };
    return options;
  }
  static Metrics::Options metrics_options() {
    return {.pools = {"default"}, .top_tenants = 0, .version = "1"};
  }
  [[nodiscard]] Now now() { return {sim_->wall(), sim_->now()}; }

  Simulated sim_;
  Metrics metrics_;
};

TEST(RefusalCounts, SEC_02_EachRefusalAtATenantsBorderHasAMetricAndAnAuditRowOfItsOwn) {
  for (const ErrorCode code :
       {ErrorCode::no_tenant, ErrorCode::wrong_tenant, ErrorCode::stale_generation,
        ErrorCode::tenant_swap_prohibited, ErrorCode::bad_global_id, ErrorCode::envelope_mismatch,
        ErrorCode::bad_seal, ErrorCode::access_refused}) {
    SCOPED_TRACE(name_of(code));
    RefusalCounts refused(code);
    EXPECT_EQ(refused.counted(name_of(code)), 1);
    EXPECT_THAT(refused.audit_rows(), ElementsAre("job refused: " + std::string{name_of(code)} + ": no"));
  }
}

// Its file is not its own just now, which is the world's fault: the job waits, and a row for each time that it is tried would say no more.
TEST(RefusalCounts, ATenantsFileThatIsAnothersIsCountedAndTheJobIsNotDead) {
  RefusalCounts refused(ErrorCode::tenant_unavailable);
  EXPECT_GE(refused.counted(name_of(ErrorCode::tenant_unavailable)), 1);
  EXPECT_THAT(refused.audit_rows(), IsEmpty());
}

}  // namespace
}  // namespace tenure::daemon
