#include "shop.hpp"

#include <tenure/base/random.hpp>

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <string>
#include <vector>

// What the cache counts is what the kernel counts, whatever is leased, given back, written, closed and checkpointed.
namespace tenure {
namespace {

using testing::Shop;

constexpr int kBudget = 17;  // of no whole connections
constexpr std::array<std::string_view, 5> kShops{"acme", "bolt", "core", "dune", "echo"};

std::int64_t descriptors_below(const std::filesystem::path& folder) {
  std::int64_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc/self/fd"}) {
    std::error_code ignored;  // the iterator's own is gone by now
    if (std::filesystem::read_symlink(entry.path(), ignored).string().starts_with(folder.string())) ++count;
  }
  return count;
}

void write_much(HandleLease& lease) {
  constexpr std::size_t kBytes = 6UL << 20U;  // more than a checkpoint waits for
  with_tenant(lease->tenant(), [&] {
    lease->write([](TenantTransaction& transaction) {
      transaction.execute("insert into invoice(total) values(length(?1))", std::string(kBytes, 'x'));
      transaction.execute("create table if not exists filler(text text)");
      transaction.execute("insert into filler values(?1)", std::string(kBytes, 'x'));
    });
  });
}

class DescriptorCount : public ::testing::Test {
 protected:
  DescriptorCount() {
    for (const std::string_view tenant : kShops) static_cast<void>(shop_.create(tenant));
    shop_.handles.close_idle();
  }

  void step(Random& random) {
    const auto dice = random.below(20);
    if (dice < 10) {
      const TenantName tenant{kShops[random.below(kShops.size())]};
      const auto access = random.below(3) == 0 ? HandleAccess::read_only : HandleAccess::read_write;
      if (auto lease = shop_.handles.acquire(tenant, {}, access)) {
        leases_.push_back(*std::move(lease));
        writes_.push_back(access == HandleAccess::read_write);
      }
    } else if (leases_.empty()) {
      return;
    } else if (dice < 19) {
      const auto which = static_cast<std::ptrdiff_t>(random.below(leases_.size()));
      if (dice == 18) leases_[static_cast<std::size_t>(which)].poison();
      if (dice == 17 && writes_[static_cast<std::size_t>(which)])
        write_much(leases_[static_cast<std::size_t>(which)]);
      leases_.erase(leases_.begin() + which);
      writes_.erase(writes_.begin() + which);
    } else {
      shop_.handles.close(leases_.front()->tenant());
    }
  }

  [[nodiscard]] std::pair<std::int64_t, std::int64_t> counts() const {
    const HandleCache::Counters counters = shop_.handles.counters();
    return {counters.descriptors, counters.idle};
  }

  Shop shop_{{.descriptors_max = kBudget, .wait_max = std::chrono::milliseconds{0}, .application = "shop"}};
  std::vector<HandleLease> leases_;
  std::vector<bool> writes_;
};

TEST_F(DescriptorCount, IsWhatTheKernelCountsAndKeepsTheBudget) {
  Random random(46);
  std::size_t most = 0;
  for (int step_number = 0; step_number < 400; ++step_number) {
    step(random);
    most = std::max(most, leases_.size());
    const auto [counted, idle] = counts();
    ASSERT_EQ(counted, descriptors_below(shop_.folder.path())) << "step " << step_number;
    // Where nothing is idle, a checkpoint may have left one of each tenant.
    ASSERT_LE(counted, idle > 0 ? kBudget : kBudget + std::ssize(kShops)) << "step " << step_number;
  }
  EXPECT_GE(most, 5U);
  leases_.clear();
  shop_.handles.close_idle();
  EXPECT_EQ(shop_.handles.counters().descriptors, 0);
  EXPECT_EQ(descriptors_below(shop_.folder.path()), 0);
}

}  // namespace
}  // namespace tenure
