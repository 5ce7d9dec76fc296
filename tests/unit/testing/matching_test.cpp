#include "notes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>

namespace tenure::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct Letter {
  static constexpr std::string_view kind = "mail.letter";
  static constexpr std::array<std::string_view, 1> aliases{"mail.old_letter"};
  std::string to;
  int copies = 1;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(to), CEREAL_NVP(copies));
  }
};

class Matching : public Notes {
 protected:
  Matching() {
    with_tenants("acme", "bolt");
    jobs().add<Letter>([](const Letter&, JobContext&) {});
  }
  std::string message_of(const Where<Letter>& where) {
    const Matched matched = world().enqueued<Letter>(where);
    EXPECT_FALSE(matched) << matched.message;
    return matched.message;
  }
};

TEST_F(Matching, TST_07_FiltersLeaveTheRestAndAMissPrintsTheNearestCandidates) {
  client().enqueue(Letter{"bob", 7}, {.run_in = 1h, .queue = "bulk", .tenant = "bolt"});
  client().enqueue(Letter{"cleo", 9}, {.priority = 5, .tenant = "bolt"});
  client().enqueue(Letter{"ada", 1}, {.queue = "bulk", .tenant = "bolt"});
  client().enqueue(Letter{"ada", 2}, {.tenant = "acme"});
  client().enqueue(AddNote{"milk"}, {.tenant = "acme"});

  EXPECT_EQ(drain({.tenants = {TenantName{"acme"}}}).size(), 2U);
  EXPECT_TRUE(enqueued<Letter>({.times = 3}));
  EXPECT_TRUE(performed<Letter>({.tenant = "acme", .times = 1}));

  EXPECT_EQ(message_of({.tenant = "bolt", .queue = "bulk", .due_in = 0s, .arguments = Letter{"ada", 2}}),
            "0 jobs are enqueued that are mail.letter, tenant bolt, queue bulk, due in 0 s, arguments "
            R"({"copies":2,"to":"ada"}; the nearest:)"
            "\n  mail.letter of bolt, queue bulk, ready: "
            R"({"copies":1,"to":"ada"})"
            "\n    but copies is 1, not 2"
            "\n  mail.letter of bolt, queue bulk, scheduled, due in 3600 s: "
            R"({"copies":7,"to":"bob"})"
            "\n    but due_in is 3600 s, not 0 s; copies is 7, not 2; to is \"bob\", not \"ada\""
            "\n  mail.letter of bolt, queue default, ready: "
            R"({"copies":9,"to":"cleo"})"
            "\n    but queue is default, not bulk; copies is 9, not 2; to is \"cleo\", not \"ada\"");
}

TEST_F(Matching, ByEveryFieldAndByWhatTheTestSays) {
  client().enqueue(Letter{"ada", 2}, {.run_in = 1h, .priority = 5, .tenant = "acme"});
  client().enqueue(Letter{"bob", 1}, {.untenanted = true});
  EXPECT_TRUE(enqueued<Letter>({.tenant = "acme"}));
  EXPECT_FALSE(enqueued<Letter>({.tenant = "bolt"}));
  EXPECT_TRUE(enqueued<Letter>({.untenanted = true, .times = 1}));
  EXPECT_TRUE(enqueued<Letter>({.queue = "default"}));
  EXPECT_FALSE(enqueued<Letter>({.queue = "bulk"}));
  EXPECT_TRUE(enqueued<Letter>({.priority = 5, .times = 1}));
  EXPECT_TRUE(enqueued<Letter>({.due_in = 1h, .times = 1}));
  EXPECT_TRUE(enqueued<Letter>({.arguments = Letter{"ada", 2}, .times = 1}));
  EXPECT_TRUE(enqueued<Letter>({.that = [](const Letter& letter) { return letter.copies > 1; }, .times = 1}));
  EXPECT_FALSE(enqueued<Letter>({.times = 1}));
  EXPECT_TRUE(enqueued<Letter>({.times = 2}));
  EXPECT_TRUE(performed<Letter>({.times = 0}));
}

TEST_F(Matching, OfNoJobOfTheKindItTellsWhatThereIs) {
  EXPECT_EQ(message_of({}), "0 jobs are enqueued that are mail.letter; nothing is enqueued");
  client().enqueue_all({AddNote{"milk"}, AddNote{"bread"}}, {.tenant = "acme"});
  EXPECT_EQ(message_of({}),
            "0 jobs are enqueued that are mail.letter; there are:\n  2 of kind notes.add_note");
}

TEST_F(Matching, NoMoreThanThreeCandidatesAreShown) {
  for (int copies = 1; copies <= 5; ++copies) client().enqueue(Letter{"ada", copies}, {.tenant = "acme"});
  const std::string message = message_of({.tenant = "bolt"});
  EXPECT_THAT(message, AllOf(HasSubstr("\"copies\":3"), Not(HasSubstr("\"copies\":4")),
                             HasSubstr("and 2 more of the kind")));
}

TEST_F(Matching, TooManyAreShownWithWhatTheyAre) {
  client().enqueue_all({Letter{"ada", 1}, Letter{"ada", 2}}, {.tenant = "acme"});
  EXPECT_THAT(message_of({.times = 1}),
              AllOf(HasSubstr("2 jobs are enqueued"), HasSubstr("1 are wanted"), HasSubstr("\"copies\":2")));
}

TEST_F(Matching, AFormerNameOfTheKindIsTheKind) {
  faults().older_payload("mail.old_letter", R"({"to": "ada", "copies": 1})", {.tenant = "acme"});
  EXPECT_TRUE(enqueued<Letter>({.arguments = Letter{"ada", 1}}));
  EXPECT_EQ(drain().succeeded(), 1U);
}

TEST_F(Matching, JobsComeWithTheirArguments) {
  client().enqueue_all({Letter{"ada", 1}, Letter{"bob", 2}}, {.tenant = "acme"});
  const auto letters =
      world().all_enqueued<Letter>({.that = [](const Letter& each) { return each.copies == 2; }});
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].arguments.to, "bob");
  EXPECT_EQ(letters[0].record.tenant, TenantName{"acme"});
}

TEST_F(Matching, AnAssertionPrintsTheMessage) {
  client().enqueue(Letter{"ada", 2}, {.tenant = "acme"});
  EXPECT_NONFATAL_FAILURE(EXPECT_TRUE(enqueued<Letter>({.tenant = "bolt"})), "but tenant is acme, not bolt");
  EXPECT_NONFATAL_FAILURE(EXPECT_FALSE(enqueued<Letter>()), "1 jobs are enqueued that are mail.letter");
}

}  // namespace
}  // namespace tenure::testing
