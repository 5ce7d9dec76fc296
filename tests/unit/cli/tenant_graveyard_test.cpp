#include "file_program.hpp"
#include "outbox_rows.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/tenancy/stamp.hpp>

#include <filesystem>
#include <functional>
#include <string>

// What a deletion makes of the outbox, of batches and of earlier generations, and where it goes on once it was interrupted.
namespace tenure::cli {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;
using ::testing::Not;

// A program that ends at one of its commits: before it, or behind it.
class EndingStore final : public queue::Store {
 public:
  enum class At : std::uint8_t { before, behind };
  struct Plan {
    int write = 0;  // the nth; 0: none
    At at = At::before;
    int writes = 0;  // so far
  };
  EndingStore(std::shared_ptr<queue::Store> inner, Plan& plan) : inner_(std::move(inner)), plan_(plan) {}

  void read(FunctionRef<void(queue::JobReader&)> work) override { inner_->read(work); }
  void write(queue::Durability durability, FunctionRef<void(queue::StoreWriter&)> work) override {
    const bool is_last = ++plan_.writes == plan_.write;
    if (is_last && plan_.at == At::before) raise(ErrorCode::interrupted, "killed before a commit");
    inner_->write(durability, work);
    if (is_last) raise(ErrorCode::interrupted, "killed behind a commit");
  }
  void sync() override { inner_->sync(); }
  Result<std::string> outbox_row(const queue::NewJob& job) override { return inner_->outbox_row(job); }
  std::int64_t change_counter() override { return inner_->change_counter(); }
  void checkpoint(std::int64_t bytes) override { inner_->checkpoint(bytes); }
  bool tidy() override { return inner_->tidy(); }
  TenantRegistry& registry() override { return inner_->registry(); }
  std::unique_ptr<TenantRegistry> audited_registry(queue::AuditEntry entry, const Clock& clock) override {
    return inner_->audited_registry(std::move(entry), clock);
  }

 private:
  std::shared_ptr<queue::Store> inner_;
  Plan& plan_;
};

class TenantGraves : public FileProgram {
 protected:
  TenantGraves() {
    environment.open_store =
        [this](const queue::SqliteStoreOptions& options) -> std::shared_ptr<queue::Store> {
      return std::make_shared<EndingStore>(queue::open_sqlite_store(options, clock), plan_);
    };
  }
  void create(std::string_view name) {
    EXPECT_EQ(run({"tenant", "create", std::string(name)}), 0) << output.error;
  }
  void remove(const std::string& name) {
    EXPECT_EQ(run({"tenant", "delete", name, "--confirm", name}), 0) << output.error;
  }
  // Runs it and lets it be killed; whether it came so far.
  bool is_killed_at(int write, EndingStore::At at, const std::vector<std::string>& words) {
    plan_ = {.write = write, .at = at};
    const int code = run(words);
    const bool was_killed = plan_.writes >= write;
    plan_ = {};
    EXPECT_EQ(was_killed, code != 0) << output.error;
    return was_killed;
  }
  [[nodiscard]] fs::path grave(const std::string& name, int generation) const {
    return folder / "tenants/.graveyard" / (name + "." + std::to_string(generation) + ".db");
  }
  TenantRecord tenant(std::string_view name) { return *store->registry().find(TenantName{name}); }
  std::optional<queue::JobRecord> found(queue::JobId id) {
    std::optional<queue::JobRecord> record;
    store->read([&](queue::JobReader& reader) { record = reader.find_job(id); });
    return record;
  }
  std::optional<queue::DeletionRecord> open_deletion(std::string_view name) {
    std::optional<queue::DeletionRecord> deletion;
    store->read(
        [&](queue::JobReader& reader) { deletion = reader.open_deletion(TenantName{name}, std::nullopt); });
    return deletion;
  }

  EndingStore::Plan plan_;
};

TEST_F(TenantGraves, WhatStoodInItsOutboxIsACancelledJobOrIsNamedInTheReceipt) {
  create("acme");
  const auto job = job_on_its_way("acme", 7, clock.wall());
  leave_row(folder.path(), "acme", job);
  leave_row(folder.path(), "acme", job_on_its_way("apex", 8, clock.wall()));
  remove("acme");
  EXPECT_THAT(output.out, HasSubstr("outbox   1 row cancelled as jobs, 1 row given up\n"
                                    "         row 2: WrongTenant: "));
  ASSERT_TRUE(found(job.id));
  EXPECT_EQ(found(job.id)->state, queue::ShownState::cancelled);
  EXPECT_EQ(run({"store", "audit", "verb=tenant delete", "--columns", "subject"}), 0);
  EXPECT_THAT(output.out, HasSubstr("cancelled out of its outbox; row 2 given up: WrongTenant"));
  EXPECT_EQ(run({"doctor"}), 0) << output.out;

  create("acme");
  remove("acme");
  EXPECT_THAT(output.out, Not(HasSubstr("outbox")));
}

TEST_F(TenantGraves, InJsonTheReceiptHasThemToo) {
  create("acme");
  leave_row(folder.path(), "acme", job_on_its_way("acme", 7, clock.wall()));
  leave_row(folder.path(), "acme", job_on_its_way("apex", 8, clock.wall()));
  open_batch("acme");
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme", "--json"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr(R"("outbox":{"cancelled":1,"existed":0,"lost":0,"given_up":[{"row":2,)"
                                    R"("reason":"WrongTenant: )"));
  EXPECT_THAT(output.out, HasSubstr(R"("batches":1,"erase_at":)"));
}

TEST_F(TenantGraves, EachGenerationThatLiesThereIsListedAndComesBackByItsNumber) {
  create("acme");
  remove("acme");
  create("acme");
  EXPECT_EQ(run({"tenant", "delete", "acme", "--confirm", "acme", "--reason", "left us"}), 0);
  create("beta");
  remove("beta");
  EXPECT_EQ(run({"tenant", "graveyard", "acme"}), 0) << output.error;
  EXPECT_THAT(output.out,
              HasSubstr("acme             1  buried  2026-03-02T10:14:00Z  2026-03-09T10:14:00Z"));
  EXPECT_THAT(output.out, HasSubstr("acme             2  buried"));
  EXPECT_THAT(output.out, HasSubstr("there"));
  EXPECT_THAT(output.out, HasSubstr("left us"));
  EXPECT_THAT(output.out, Not(HasSubstr("beta")));
  EXPECT_EQ(run({"tenant", "graveyard", "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr(R"({"schema":"tenure.tenant.graveyard/1","items":[{"name":"acme",)"
                                    R"("generation":1,"step":"buried","begun":"2026-03-02T10:14:00Z",)"
                                    R"("erase_at":"2026-03-09T10:14:00Z",)"));
  EXPECT_THAT(output.out, HasSubstr(R"("name":"beta")"));

  EXPECT_EQ(run({"tenant", "undelete", "acme", "--generation", "7"}), 1);
  EXPECT_THAT(output.error, HasSubstr("generation 7 of acme does not lie in the graveyard"));
  EXPECT_EQ(run({"tenant", "undelete", "acme", "--generation", "x"}), 2);
  EXPECT_EQ(run({"tenant", "undelete", "acme", "--generation", "1"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("acme is active again, generation 3, with the database of generation 1"));
  EXPECT_FALSE(fs::exists(grave("acme", 1)));
  EXPECT_TRUE(fs::exists(grave("acme", 2)));
  fs::remove(grave("acme", 2));
  EXPECT_EQ(run({"tenant", "graveyard", "acme"}), 0);
  EXPECT_THAT(output.out, HasSubstr("missing"));
  fs::remove(folder / "tenants/acme.db");
}

TEST_F(TenantGraves, KilledAtAnyCommitOfADeletionTheSameCommandEndsIt) {
  int points = 0;
  bool goes_on = true;
  for (int write = 1; goes_on; ++write) {
    goes_on = false;
    for (const auto at : {EndingStore::At::before, EndingStore::At::behind}) {
      const int seed = 2 * write + static_cast<int>(at);
      const std::string name = "t" + std::to_string(seed);
      create(name);
      add_job(seed, name, "report.build");
      const auto on_its_way = job_on_its_way(name, 100 + seed, clock.wall());
      leave_row(folder.path(), name, on_its_way);
      goes_on |= is_killed_at(write, at, {"tenant", "delete", name, "--confirm", name});
      ++points;
      // However far the clock goes meanwhile.
      clock.jump_wall(std::chrono::hours{at == EndingStore::At::before ? -40 * 24 : 40 * 24});
      if (tenant(name).state != TenantState::deleted) remove(name);
      EXPECT_EQ(job(seed).state, queue::ShownState::cancelled) << write;
      ASSERT_TRUE(found(on_its_way.id)) << write;
      EXPECT_EQ(found(on_its_way.id)->state, queue::ShownState::cancelled) << write;
      EXPECT_EQ(tenant(name).state, TenantState::deleted);
      EXPECT_TRUE(fs::exists(grave(name, 1))) << write;
      EXPECT_FALSE(fs::exists(folder / "tenants" / (name + ".db")));
      EXPECT_EQ(run({"doctor", "places", "tenants", "stamps", "dangling", "outbox"}), 0) << output.out;
    }
  }
  EXPECT_GE(points, 8);
}

TEST_F(TenantGraves, KilledAtAnyCommitOfATakingBackNothingIsLostAndTheSameCommandEndsIt) {
  int points = 0;
  bool goes_on = true;
  for (int write = 1; goes_on; ++write) {
    goes_on = false;
    for (const auto at : {EndingStore::At::before, EndingStore::At::behind}) {
      const std::string name = "t" + std::to_string(2 * write + static_cast<int>(at));
      create(name);
      remove(name);
      goes_on |= is_killed_at(write, at, {"tenant", "undelete", name});
      ++points;
      const bool has_begun =
          open_deletion(name) && open_deletion(name)->step == queue::DeletionStep::taking_back;
      const bool is_active = tenant(name).state == TenantState::active;
      // What has begun in time goes to its end.
      if (has_begun) clock.jump_wall(std::chrono::hours{40 * 24});
      if (has_begun && !is_active) {
        EXPECT_THAT((run({"doctor", "tenants"}), output.out), HasSubstr("tenure tenant undelete " + name));
      }
      const int code = run({"tenant", "undelete", name});
      EXPECT_EQ(code, is_active ? 1 : 0) << output.error;
      EXPECT_EQ(tenant(name).state, TenantState::active);
      EXPECT_EQ(tenant(name).generation, Generation{2});
      if (const auto open = open_deletion(name)) {
        EXPECT_EQ(open->step, queue::DeletionStep::buried) << "what is left of it goes in its time";
      }
      EXPECT_EQ(run({"doctor", "tenants", "stamps"}), 0) << output.out;
    }
  }
  EXPECT_GE(points, 4);
}

// As a kill behind the last close leaves it: a log without its index.
TEST_F(TenantGraves, AControlDatabaseThatOnlyAWriterCanReadIsNoObstacleToATakingBack) {
  create("acme");
  remove("acme");
  const fs::path log = path.string() + "-wal";
  execute("create table kept(x)");
  fs::copy_file(log, folder / "log");
  store.reset();
  ASSERT_FALSE(fs::exists(log));
  fs::copy_file(folder / "log", log);
  EXPECT_EQ(run({"tenant", "undelete", "acme"}), 0) << output.error;
  store = queue::open_sqlite_store({.path = path}, clock);
  EXPECT_EQ(tenant("acme").state, TenantState::active);
}

// Nobody has waited for the operator who had begun.
TEST_F(TenantGraves, BesideATenantThatWasMadeMeanwhileATakingBackIsGivenUp) {
  create("acme");
  remove("acme");
  EXPECT_TRUE(is_killed_at(2, EndingStore::At::behind, {"tenant", "undelete", "acme"}));
  EXPECT_EQ(open_deletion("acme")->step, queue::DeletionStep::taking_back);
  create("acme");
  EXPECT_EQ(run({"tenant", "undelete", "acme"}), 1);
  EXPECT_THAT(output.error, HasSubstr("TenantExists"));
  EXPECT_EQ(open_deletion("acme")->step, queue::DeletionStep::buried);
  EXPECT_TRUE(fs::exists(grave("acme", 1)));
}

TEST_F(TenantGraves, WhatIsBeingErasedIsNotTakenBack) {
  create("acme");
  remove("acme");
  clock.advance(std::chrono::hours{8 * 24});
  const TenantNumber number = open_deletion("acme")->tenant.number;
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    value_or_raise(writer.begin_erasing(number, clock.wall()));
  });
  clock.jump_wall(std::chrono::hours{-8 * 24});
  EXPECT_EQ(run({"tenant", "undelete", "acme"}), 1);
  EXPECT_THAT(output.error, HasSubstr("it is being erased"));
  EXPECT_TRUE(fs::exists(grave("acme", 1)));
}

}  // namespace
}  // namespace tenure::cli
