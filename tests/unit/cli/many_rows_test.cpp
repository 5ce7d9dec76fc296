#include "file_program.hpp"
#include "support/sqlite_steps.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

// What a command costs among many jobs or tenants, in steps of SQLite's machine, which are the same on every computer.
namespace tenure::cli {
namespace {

using ::testing::HasSubstr;

// Of 50 to 100 ns each, so that an answer is there within 200 ms.
constexpr std::int64_t kStepsOfAnswer = 1'500'000;

// Asks for more, never for fewer.
int more_by(const char* variable, int usual) {
  const char* asked = std::getenv(variable);
  return std::max(usual, asked == nullptr ? 0 : std::atoi(asked) / 1'000 * 1'000);
}

// The base that comes first is there before the store opens its connections.
class ManyRows : private testing::SqliteSteps, public FileProgram {
 protected:
  // Of acme, by thousands.
  void add_jobs(int count) {
    for (int done = 0; done < count; done += 1'000)
      store->write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
        for (int each = 0; each < 1'000; ++each) {
          queue::NewJob job{.id = job_id(++last_)};
          job.tenant = TenantName("acme");
          job.queue = "default";
          job.kind = "mail.send";
          job.due = clock.wall();
          job.attempts_max = 3;
          job.arguments = "{}";
          static_cast<void>(value_or_raise(writer.enqueue(job, clock.wall())));
        }
      });
  }
  // t1, t2, ...
  void add_tenants(int count) {
    execute("with recursive n(i) as (select 1 union all select i + 1 from n where i < " +
            std::to_string(count) +
            ") insert into tenant(name, generation, state, created_us) select 't' || i, 1, 2, 0 from n");
  }
  std::int64_t steps_of(const std::vector<std::string>& arguments) {
    const std::int64_t before = steps();
    EXPECT_EQ(run(arguments), 0) << output.error;
    return steps() - before;
  }
  std::uintmax_t written_by(const std::vector<std::string>& arguments) {
    store->checkpoint(0);
    const auto bytes = [&] { return std::filesystem::file_size(path.string() + "-wal"); };
    const std::uintmax_t before = bytes();
    EXPECT_EQ(run(arguments), 0) << output.error;
    return bytes() - before;
  }

 private:
  int last_ = 0;
};

TEST_F(ManyRows, CLM_18_PausingATenantIsDoneInAsManyStepsAndBytesWhateverItHas) {
  add_tenant("acme");
  add_jobs(1'000);
  const std::vector<std::string> pause{"tenant", "pause", "acme"};
  const std::vector<std::string> resume{"tenant", "resume", "acme"};
  const std::int64_t few = steps_of(pause);
  ASSERT_EQ(run(resume), 0);
  const int many = more_by("TENURE_TEST_PAUSED_JOBS", 20'000);
  add_jobs(many);
  const std::int64_t among_many = steps_of(pause);
  EXPECT_GT(few, 100);
  EXPECT_LE(among_many, few + few / 5);
  EXPECT_LE(among_many, kStepsOfAnswer);
  EXPECT_EQ(run({"job", "count", "state=ready"}), 0);
  EXPECT_EQ(output.out, "0\n") << "all are held";
  ASSERT_EQ(run(resume), 0);
  EXPECT_LE(written_by(pause), 64U << 10U) << "some pages of 4 KiB, and no row of a job";
}

// It counts them all, by some ten steps each.
TEST_F(ManyRows, TheFirstPageOfAHundredThousandTenantsIsThereAtOnce) {
  const int many = more_by("TENURE_TEST_TENANTS", 20'000);
  add_tenants(many);
  const std::int64_t steps_of_list = steps_of({"tenant", "list"});
  EXPECT_THAT(output.out, HasSubstr("t1 "));
  EXPECT_GT(steps_of_list, 1'000);
  EXPECT_LE(steps_of_list, kStepsOfAnswer / 100'000 * many + 10'000);
}

}  // namespace
}  // namespace tenure::cli
