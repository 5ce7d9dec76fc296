#include "generations.hpp"
#include "job_run.hpp"
#include "old_receipts.hpp"
#include "run_handler.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/random.hpp>
#include <tenure/base/secret_key.hpp>

#include <map>
#include <string>
#include <tuple>
#include <utility>

// Keys of a tenant, for caches that tenants share.
namespace tenure::testing {
namespace {

constexpr std::uint64_t kSeedOfKeys = 20260302;

class OwnKeys : public Generations {
 protected:
  std::string key_in_job(std::string_view tenant, std::string_view name) {
    std::string key;
    EXPECT_EQ(handled(tenant, [&](JobContext& context) { key = context.key(name); }), std::nullopt);
    return key;
  }
  // In a run of such a job, whether there is such a tenant or not.
  std::string key_of(const TenantName& tenant, Generation generation, std::string_view name) {
    const queue::AssignedJob job{
        .claim = {}, .id = {}, .tenant = tenant, .generation = generation, .kind = {}, .envelope = {}};
    const queue::StopSignal stop;
    queue::RunNotes notes{job.claim};
    detail::OldReceipts receipts{clock_};
    const std::string nothing;
    const queue::Mask mask;
    const KeyRing no_keys;
    detail::JobRun run{.job = job,
                       .stop = stop,
                       .notes = notes,
                       .handles = handles_,
                       .old_receipts = receipts,
                       .clock = clock_,
                       .application = nothing,
                       .mask = mask,
                       .arguments = nothing,
                       .started = clock_.steady(),
                       .outbox = {detail::drafting_of_run(nothing, mask, clock_, nullptr),
                                  detail::outbox_means_of_run(limits::kPayloadMax, no_keys, nullptr)},
                       .payload = {nothing, job.tenant}};
    return JobContext{run}.key(name);
  }
};

std::string any_text(Random& random, std::string_view letters, std::size_t size_max) {
  std::string text(1 + random.below(size_max), ' ');
  for (char& letter : text) letter = letters[random.below(letters.size())];
  return text;
}

// A tenant's name begins with a letter or a digit.
TenantName any_tenant(Random& random) {
  return TenantName{any_text(random, "a1", 1) + any_text(random, "a1-_", 3)};
}

TEST_F(OwnKeys, CTX_15_KeysOfTwoTenantsOrGenerationsNeverMeet) {
  const TenantName acme{"acme"};
  begin_anew(acme);
  begin_anew(acme);
  EXPECT_EQ(key_in_job("acme", "users/1"), "acme.3/users/1");
  // Each generation that there has been, by creation or by undelete, has had keys of its own.
  EXPECT_EQ(key_in_job("bolt", "users/1"), "bolt.1/users/1");
  static_cast<void>(remove(acme));
  EXPECT_EQ(take_back(acme), Generation{4});
  EXPECT_EQ(key_in_job("acme", "users/1"), "acme.4/users/1");

  // Of few letters, so that whatever could meet does: a name may look like what stands before it.
  Random random{kSeedOfKeys};
  std::map<std::string, std::tuple<std::string, std::int64_t, std::string>> owners;
  int again = 0;
  for (int each = 0; each < 50'000; ++each) {
    const TenantName tenant = any_tenant(random);
    const Generation generation{static_cast<std::int64_t>(1 + random.below(12))};
    const std::string name = any_text(random, "a1./-", 4);
    const auto owner = std::tuple{tenant.text(), generation.value, name};
    const auto [there, is_new] = owners.emplace(key_of(tenant, generation, name), owner);
    ASSERT_EQ(there->second, owner) << there->first;
    again += is_new ? 0 : 1;
  }
  EXPECT_GT(again, 100) << "some were drawn twice, so that two owners of a key would have been seen";
}

}  // namespace
}  // namespace tenure::testing
