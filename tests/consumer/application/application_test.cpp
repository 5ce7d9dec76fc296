#include "jobs.hpp"

#include <tenure/testing/job_test.hpp>

#include <optional>
#include <string>
#include <vector>

namespace {

class Notes : public tenure::testing::JobTest {
 protected:
  Notes()
      : JobTest({.application = "notes",
                 .migrations = {{1, "0001_notes.sql",
                                 "create table note (number integer primary key, text text) strict"}}}) {
    jobs().add<AddNote>([](const AddNote& job, tenure::JobContext& context) {
      context.once("insert", [&](tenure::JobTransaction& transaction) {
        transaction.execute("insert into note (text) values (?)", job.text);
      });
    });
  }

  std::vector<std::string> notes() {
    return tenants().open_current()->read([](tenure::TenantReader& reader) {
      std::vector<std::string> texts;
      for (const tenure::TenantRow& row : reader.query("select text from note"))
        texts.emplace_back(row.text(0));
      return texts;
    });
  }
};

TEST_F(Notes, AreAdded) {
  client().enqueue(AddNote{.text = "milk"});
  EXPECT_TRUE(enqueued<AddNote>({.arguments = AddNote{.text = "milk"}}));
  EXPECT_EQ(drain().succeeded(), 1U);
  EXPECT_EQ(notes(), std::vector<std::string>{"milk"});
}

TEST_F(Notes, SurviveACrash) {
  client().enqueue(AddNote{.text = "milk"});
  faults().crash(tenure::testing::CrashPoint::before_finish_commit);
  EXPECT_EQ(drain_all().size(), 2U);
  EXPECT_EQ(notes().size(), 1U);
}

std::optional<tenure::HandleLease> forgotten;

// It fails, which whoever runs it expects.
TEST_F(Notes, LeaveAHandleOpen) { forgotten = tenants().open_current(); }

}  // namespace
