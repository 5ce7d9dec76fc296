#include "notes.hpp"

#include <gmock/gmock.h>

#include <limits>

namespace tenure::testing {

struct Person {
  std::int64_t id = 0;
};

}  // namespace tenure::testing

template <>
struct tenure::Model<tenure::testing::Person> {
  static constexpr std::string_view name = "Person";
  static std::optional<testing::Person> load(TenantReader& reader, std::string_view id) {
    auto rows = reader.query("select id from note where id = ?", id);
    if (!rows.next()) return std::nullopt;
    return testing::Person{rows.row().integer(0)};
  }
};

namespace tenure::testing {
namespace {

using ::testing::ElementsAre;

struct Everywhere {
  static constexpr std::string_view kind = "test.everywhere";
};

struct Greet {
  static constexpr std::string_view kind = "people.greet";
  Ref<Person> person;
  double weight = 1;
  int counted = 0;  // no argument: the codec does not know it
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(person), CEREAL_NVP(weight));
  }
};

class Codec : public Notes {
 protected:
  Ref<Person> person_of(const char* tenant) {
    return with_tenant(tenant, [&] {
      return tenants().open_current()->read([](TenantReader& reader) { return reader.ref<Person>(1); });
    });
  }
};

TEST_F(Codec, TST_01_ArgumentsGoThroughEnvelopeAndCodecAndTenantRulesAreProductions) {
  with_tenants("acme", "bolt");
  std::vector<int> counted;
  std::vector<std::string> tenants_seen;
  jobs().add<Greet>([&](const Greet& job, JobContext& context) {
    counted.push_back(job.counted);
    tenants_seen.push_back(current_tenant()->text());
    EXPECT_EQ(job.person.tenant(), context.tenant());
    static_cast<void>(context.locate(job.person));  // nobody is there
  });
  // What the codec does not write does not arrive, inline either.
  perform_inline();
  client().enqueue(Greet{person_of("acme"), 2.5, 7}, {.tenant = "acme"});
  EXPECT_THAT(counted, ElementsAre(0));
  EXPECT_THAT(tenants_seen, ElementsAre("acme"));
  ASSERT_EQ(world().runs().size(), 1U);
  EXPECT_EQ(world().runs().front().failure->code, ErrorCode::record_not_found);
  // What production refuses at the enqueue is refused here.
  EXPECT_THROW(client().enqueue(Greet{person_of("bolt")}, {.tenant = "acme"}), WrongTenant);
  EXPECT_THROW(client().enqueue(Greet{person_of("acme"), std::numeric_limits<double>::quiet_NaN()},
                                {.tenant = "acme"}),
               BadPayload);
  EXPECT_THROW(client().enqueue(Greet{person_of("acme")}), NoTenant);
  EXPECT_THROW(client().enqueue(Greet{person_of("acme")}, {.untenanted = true}), NoTenant);
  EXPECT_THROW(client().enqueue(AddNote{"milk"}, {.tenant = "nobody"}), TenantDoesNotExist);
  with_tenant("acme", [&] {
    EXPECT_THROW(client().enqueue(AddNote{"milk"}, {.tenant = "bolt"}), TenantSwapProhibited);
    EXPECT_THROW(static_cast<void>(tenants().open(TenantName{"bolt"})->begin_read()), WrongTenant);
  });
  EXPECT_EQ(tenants_seen.size(), 1U);
}

TEST_F(Codec, AJobIsPerformedOutsideTheScopeOfTheTestThatDrains) {
  with_tenants("acme", "bolt");
  client().enqueue(AddNote{"milk"}, {.tenant = "bolt"});
  with_tenant("acme", [&] {
    EXPECT_EQ(drain().succeeded(), 1U);
    EXPECT_EQ(current_tenant(), TenantName{"acme"});
  });
}

TEST_F(Codec, AnUntenantedJobHasNoTenant) {
  jobs().add<Everywhere>([](const Everywhere&, JobContext& context) { static_cast<void>(context.handle()); });
  client().enqueue(Everywhere{}, {.untenanted = true});
  const Runs runs = drain();
  ASSERT_EQ(runs.failed(), 1U);
  EXPECT_EQ(runs.front().failure->code, ErrorCode::no_tenant);
  EXPECT_EQ(runs.front().tenant, std::nullopt);
}

}  // namespace
}  // namespace tenure::testing
