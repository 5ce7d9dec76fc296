#include "installation.hpp"
#include "probing.hpp"

#include <fstream>
#include <support/prometheus_text.hpp>
#include <vector>

namespace tenure::testing {
namespace {

constexpr std::size_t kBacklog = 20'000;

class CommitsTest : public Installation {
 protected:
  CommitsTest() {
    configure({.processes = 2, .slots = 4});
    std::ofstream(config_file(), std::ios::app)
        << "[http]\nprobe_listen = \"unix:" << socket_.string() << "\"\n";
  }
  void enqueue_backlog() {
    const std::vector<Turn> jobs(1'000);
    with_tenant("acme", [&] {
      for (std::size_t done = 0; done < kBacklog; done += jobs.size())
        for (const BulkItem& each : client().enqueue_all(jobs)) ASSERT_FALSE(each.failure);
    });
  }
  std::int64_t succeeded() {
    const std::vector<std::string> words{"state=succeeded"};
    const auto filter = value_or_raise(queue::parse_filter(words, queue::job_filter_fields(), {}));
    std::int64_t count = 0;
    store().read([&](queue::JobReader& reader) {
      count = reader.count_jobs(filter, {.limit = kBacklog}, {}).count;
    });
    return count;
  }
  const std::filesystem::path socket_ = folder_ / "probe.sock";
};

// Of all rounds, of which some commit nothing.
TEST_F(CommitsTest, CLM_15_UnderLoadACommitIsOfTwentyJobsAndMore) {
  enqueue_backlog();
  const auto daemon = start_daemon();
  ASSERT_TRUE(wait_until([&] { return succeeded() == static_cast<std::int64_t>(kBacklog); }))
      << daemon->output();
  const PrometheusText metrics{ask(socket_, "/metrics").body};
  const double rounds = metrics.value(R"(tenure_store_operation_seconds_count{operation="round"})");
  EXPECT_GT(rounds, 0);
  EXPECT_LE(rounds / static_cast<double>(kBacklog), 0.05) << rounds << " rounds";
}

}  // namespace
}  // namespace tenure::testing
