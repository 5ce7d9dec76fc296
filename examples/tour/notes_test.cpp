#include "notes.hpp"

#include <tenure/testing/job_test.hpp>

// The tests of the tour, which README.md quotes.
class Notes : public tenure::testing::JobTest {
 protected:
  Notes() : JobTest({.application = "notes", .migrations = tenure::read_migrations(TOUR_MIGRATIONS)}) {
    add_note_jobs(jobs());
  }
};

TEST_F(Notes, AreAddedOnce) {
  client().enqueue(AddNote{"call the plumber"});
  EXPECT_TRUE(enqueued<AddNote>({.times = 1}));
  EXPECT_EQ(drain().succeeded(), 1U);
  EXPECT_TRUE(crash_everywhere(AddNote{"pay the plumber"}));  // wherever the process dies
}

TEST_F(Notes, AnEmptyOneFails) {
  client().enqueue(AddNote{""});
  EXPECT_EQ(drain().failed(), 1U);
}
