#include "file_program.hpp"
#include "support/schema_steps.hpp"

#include <array>
#include <fstream>
#include <iterator>

// `tenure doctor`: each fault, planted in a store of its own, is found, and nothing changes unless it is told to mend.
namespace tenure::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Planted {
  const char* check;
  const char* sql;
  const char* line;  // what is printed of it
};

constexpr std::array kPlanted{
    Planted{
        "places", "insert into claim select seq, 99, 1, 1, null, 5 from job where seq = 4",
        "FAIL  places    claims of a dispatcher that this store never had: 1, the first: seq 4  -> systemctl "
        "restart tenured\n"},
    Planted{"places",
            "insert into blocked select seq, 0, queue, priority, tenant, kind, due_us from scheduled;"
            "delete from scheduled",
            "FAIL  places    jobs that are blocked for a reason that nothing lifts: 1, the first: seq 2  -> "
            "tenure "
            "doctor places --fix\n"},
    Planted{"places", "insert into claim values (77, 1, 1, 1, 'reports', 5)",
            "FAIL  places    rows whose job is missing or has ended: 1, the first: claim, seq 77  -> "},
    Planted{"places",
            "insert into ready select queue, priority, tenant, kind, due_us, seq from job where state = 2;"
            "update mark set seq = 900 where name = 'absorbed'",
            "FAIL  places    counters beyond what is there: 1, the first: the mark 'absorbed' is 900  -> "},
    Planted{"places", "delete from scheduled",
            "FAIL  places    jobs that stand nowhere and will never start: 1, the first: seq 2  -> "},
    Planted{"places", "insert into ready select queue, priority, tenant, kind, due_us, seq from scheduled",
            "FAIL  places    jobs that stand in several places and may start twice: 1, the first: seq 2: in "
            "ready, "
            "scheduled  -> "},
    Planted{"places", "insert into job_range values (1, 4, x'0700000000000000')",
            "FAIL  places    summaries that hide jobs from lists of their tenant: 1, the first: the range "
            "from 1  -> "},
    Planted{"audit", "delete from audit_mark where name = 'head'",
            "FAIL  audit     row 1: the head is missing"},
    Planted{"holder", "insert into claim select seq, 1, 1, 1, null, 5 from job where seq = 4",
            "FAIL  holder    1 claim, and nobody is seen to hold the lock"},
    Planted{
        "queues",
        "insert into pool values ('general', 1, 1, 0); insert into pool_queue values ('general', 'default')",
        "FAIL  queues    1 job in \"exports\", which no pool lists"},
    Planted{"tenants", "update tenant set state = 6 where name = 'acme'",
            "FAIL  tenants   acme is failed: its jobs wait"},
    Planted{"tenants", "update tenant set state = 1, created_us = 0 where name = 'acme'",
            "warn  tenants   acme has been in creation since 1970-01-01"},
    Planted{"dangling", "update tenant set state = 8 where name = 'acme'",
            "warn  dangling  2 waiting jobs of acme, generation 1, which is deleted  -> tenure job cancel "
            "tenant=acme "
            "generation=1"},
    Planted{"dangling",
            "update tenant set state = 8 where name = 'acme';"
            "insert into tenant(name, generation, state, created_us) values ('acme', 2, 2, 0)",
            "warn  dangling  2 waiting jobs of acme, generation 1, which is deleted"},
};

class Doctor : public FileProgram {
 protected:
  Doctor() {
    add_tenant("acme");
    add_job(1, "acme", "billing.close");
    die(1);
    add_job(2, "acme", "billing.close", "{}", std::chrono::hours(1));
    add_job(3, "acme", "billing.close");
    add_job(4, "none", "house.keeping", "{}", {}, "exports");
  }
  int examine(std::vector<std::string> words = {}) {
    words.insert(words.begin(), "doctor");
    return run(words);
  }
  std::string bytes() {
    store.reset();  // the log into the file
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
};

TEST_F(Doctor, OfAStoreThatIsWellFindsNoFault) {
  EXPECT_EQ(examine({"store", "places", "audit", "queues", "kinds", "dangling", "tenants"}), 0) << output.out;
  EXPECT_THAT(output.out, Not(HasSubstr("warn")));
  EXPECT_EQ(output.error, "0 faults, 0 warnings\n");
  EXPECT_THAT(output.out,
              HasSubstr("ok    store     schema " + testing::own_schema_text() + ", pages clean, "));
  EXPECT_THAT(output.out, HasSubstr("ok    tenants   1 tenant, 1 active\n"));
}

TEST_F(Doctor, CLI_07_FindsEachFaultAndChangesNothing) {
  for (const Planted& planted : kPlanted) {
    SCOPED_TRACE(planted.sql);
    const auto original = path;
    store.reset();
    path = folder / "planted.db";
    std::filesystem::copy_file(original, path);
    execute(planted.sql);
    const std::string before = bytes();
    const bool is_fault = std::string_view(planted.line).starts_with("FAIL");
    EXPECT_EQ(examine({planted.check, "--store", path.string()}), is_fault ? 1 : 0);
    EXPECT_THAT(output.out, HasSubstr(planted.line));
    EXPECT_EQ(output.error, is_fault ? "1 fault, 0 warnings\n" : "0 faults, 1 warning\n");
    (void)examine({"--store", path.string()});
    EXPECT_THAT(output.out, HasSubstr(planted.line));
    EXPECT_TRUE(bytes() == before);
    std::filesystem::remove(path);
    path = original;
  }
}

// Which of them this machine has is tested with the versions themselves.
TEST_F(Doctor, SaysOfTheLibraryWhetherItCanDamageAFile) {
  EXPECT_EQ(examine({"sqlite"}), 0);
  EXPECT_THAT(output.out, ::testing::AnyOf(HasSubstr("has the WAL-reset bug"), HasSubstr("ok    sqlite")));
}

TEST_F(Doctor, SaysOnceThatThereIsNoStore) {
  EXPECT_EQ(examine({"--store", folder / "none.db"}), 1);
  EXPECT_THAT(output.out,
              ::testing::StartsWith("FAIL  store     DatabaseMissing: there is no control database"));
  EXPECT_EQ(std::ranges::count(output.out, '\n'), 2) << output.out;  // and the daemon is not asked
}

TEST_F(Doctor, NamesATenantWhoseJobsWereGivenBackAMomentAgo) {
  EXPECT_EQ(examine({"released"}), 0);
  EXPECT_EQ(output.out, "ok    released  no job was given back within the last minute\n");
  give_back(3, ErrorCode::tenant_unavailable, "there is no file");
  EXPECT_EQ(examine({"released"}), 0);
  EXPECT_THAT(output.out, HasSubstr("warn  released  1 tenant has jobs that were given back: acme, "));
  EXPECT_THAT(output.out, HasSubstr(": TenantUnavailable: there is no file  -> tenure why tenant=acme\n"));
  clock.advance(std::chrono::minutes(2));
  EXPECT_EQ(examine({"released"}), 0);
  EXPECT_THAT(output.out, HasSubstr("ok    released"));
}

TEST_F(Doctor, AsksTheDaemonWhatIsQuiet) {
  EXPECT_EQ(examine({"quiet"}), 0);
  EXPECT_THAT(output.out, HasSubstr("ok    quiet     not known, since the daemon was not asked: "));
  std::string quiet = R"({"since":"2026-03-02T10:13:00Z","uid":1000})";
  environment.ask_daemon = [&](const std::filesystem::path&, std::string_view,
                               std::chrono::milliseconds) -> tl::expected<std::string, FailedExchange> {
    return R"({"status":200,"body":{"pools":[{"name":"general","quiet":)" + quiet + "}]}}";
  };
  EXPECT_EQ(examine({"quiet"}), 0);
  EXPECT_THAT(output.out,
              HasSubstr("warn  quiet     pool general is quiet since 2026-03-02T10:13:00Z, as uid 1000 "
                        "has asked  -> tenure worker resume general\n"));
  quiet = "null";
  EXPECT_EQ(examine({"quiet"}), 0);
  EXPECT_EQ(output.out, "ok    quiet     no pool is quiet\n");
}

TEST_F(Doctor, CLI_07_MendsOnRequestWhatNeedsNoDecisionAndRecordsIt) {
  execute(
      "insert into claim values (77, 1, 1, 1, null, 5); insert into claim values (78, 1, 2, 1, null, 5);"
      "insert into blocked select seq, 0, queue, priority, tenant, kind, due_us from scheduled;"
      "delete from scheduled; insert into job_range values (1, 4, x'0700000000000000')");
  EXPECT_EQ(examine({"places", "--fix", "--reason", "ticket 4711"}), 0) << output.out;
  EXPECT_THAT(output.error, HasSubstr("mended row_without_job: 2\n"));
  EXPECT_THAT(output.error, HasSubstr("mended blocked_without_cause: 1\n"));
  EXPECT_THAT(output.error, HasSubstr("mended wrong_range: 1\n"));
  EXPECT_EQ(job(2).state, queue::ShownState::ready);
  EXPECT_EQ(wakes, 1);
  EXPECT_EQ(run({"store", "audit", "--columns", "verb,count,subject,reason"}), 0);
  EXPECT_EQ(output.out,
            "VERB          COUNT  SUBJECT                REASON\n"
            "store doctor      1  wrong_range            ticket 4711\n"
            "store doctor      1  blocked_without_cause  ticket 4711\n"
            "store doctor      2  row_without_job        ticket 4711\n");
}

TEST_F(Doctor, MendsOnlyWhatTheNamedChecksLookAt) {
  execute("insert into claim values (77, 1, 1, 1, null, 5)");
  EXPECT_EQ(examine({"audit", "queues", "--fix"}), 2);
  EXPECT_THAT(output.error, HasSubstr("--fix mends what the check places finds"));
  EXPECT_EQ(examine({"places"}), 1);
  EXPECT_EQ(examine({"audit", "places", "--fix", "--json"}), 0);
  EXPECT_THAT(output.out,
              HasSubstr("\"mended\":[{\"defect\":\"row_without_job\",\"count\":1}],\"faults\":0"));
}

TEST_F(Doctor, MendsNothingElse) {
  execute("delete from scheduled; insert into claim select seq, 99, 1, 1, null, 5 from job where seq = 4");
  EXPECT_EQ(examine({"places", "--fix"}), 1);
  EXPECT_EQ(output.error, "2 faults, 0 warnings\n");
  EXPECT_EQ(run({"store", "audit", "--fail-if-any"}), 0);
}

TEST_F(Doctor, HasAJsonOfItsOwn) {
  execute("delete from scheduled");
  EXPECT_EQ(examine({"places", "audit", "--json"}), 1);
  expect_golden("doctor.json");
}

TEST_F(Doctor, AnUnknownCheckIsNamedWithTheNearest) {
  EXPECT_EQ(examine({"queus"}), 2);
  EXPECT_THAT(output.error, HasSubstr("there is no check 'queus'; did you mean queues?"));
}

TEST_F(Doctor, REG_20_NamesFilesWithoutRowsRowsWithoutFilesAndLeftoversAndTouchesNone) {
  EXPECT_EQ(run({"tenant", "create", "corvid", "heron"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "delete", "heron", "--confirm", "heron"}), 0) << output.error;
  EXPECT_EQ(examine({"stamps"}), 1) << "acme has no file";
  EXPECT_EQ(output.error, "1 fault, 0 warnings\n");
  const auto tree = folder / "tenants";
  std::filesystem::copy_file(tree / "corvid.db", tree / "stray.db");
  std::ofstream(tree / "Notes.txt") << "nobody's";
  std::ofstream(tree / ".building/ibis.db") << "half";
  std::ofstream(tree / ".graveyard/dodo.7.db") << "older";
  EXPECT_EQ(examine({"stamps"}), 1);
  EXPECT_THAT(output.out, HasSubstr("FAIL  stamps    acme: "));
  EXPECT_THAT(output.out, HasSubstr("stray.db lies at the place of stray, which the registry does not have"));
  EXPECT_THAT(output.out, HasSubstr("warn  stamps    ibis.db lies in .building"));
  EXPECT_THAT(output.out, HasSubstr("warn  stamps    dodo.7.db lies in .graveyard"));
  EXPECT_EQ(output.error, "2 faults, 2 warnings\n");
  for (const char* const name : {"corvid.db", "stray.db", "Notes.txt", ".building/ibis.db",
                                 ".graveyard/dodo.7.db", ".graveyard/heron.1.db"})
    EXPECT_TRUE(std::filesystem::exists(tree / name)) << name;
  EXPECT_EQ(run({"tenant", "list", "name=stray", "--fail-if-any"}), 0) << "it is not served";
  EXPECT_EQ(run({"tenant", "create", "stray"}), 1) << "and not taken";
}

TEST_F(Doctor, ComparesStampsWhenItIsTold) {
  EXPECT_EQ(run({"tenant", "create", "corvid", "heron"}), 0) << output.error;
  std::filesystem::copy_file(folder / "tenants/corvid.db", folder / "tenants/acme.db");
  execute("update tenant set state = 4 where name = 'heron'");
  EXPECT_EQ(examine({"stamps"}), 1);
  EXPECT_THAT(output.out, HasSubstr("FAIL  stamps    acme: "));
  EXPECT_THAT(output.out, HasSubstr("FAIL  stamps    heron: the file says active, the registry read_only"));
  EXPECT_THAT(output.out, Not(HasSubstr("stamps    corvid")));
  std::filesystem::remove(folder / "tenants/acme.db");
  execute("update tenant set state = 3 where name = 'heron'");  // of which the file knows nothing
  EXPECT_EQ(examine({"stamps"}), 1);
  EXPECT_THAT(output.out, HasSubstr("FAIL  stamps    acme: "));
  EXPECT_EQ(output.error, "1 fault, 0 warnings\n");
  EXPECT_EQ(run({"store", "doctor"}), 0);
  EXPECT_THAT(output.out, Not(HasSubstr("stamps")));
}

class DoctorOfWork : public Program {};

TEST_F(DoctorOfWork, SaysWhatIsHeldForWantOfAWorkerProgram) {
  tell_pools({{.name = "general",
               .queues = {"default"},
               .workers = 1,
               .kinds = {"billing.close"},
               .default_queues = {}},
              {.name = "heavy", .queues = {"reports"}, .workers = 0, .kinds = {}, .default_queues = {}}});
  add_job(1, "none", "house.keeping");
  add_job(2, "none", "billing.close", "{}", {}, "reports");
  EXPECT_EQ(run({"doctor", "kinds", "queues"}), 0);
  EXPECT_EQ(output.out,
            "warn  kinds     1 job of house.keeping held: no running worker program knows the kind  -> "
            "tenure job list "
            "state=held kind=house.keeping\n"
            "warn  kinds     1 job in \"reports\" held: the pools that list it have no worker process  -> "
            "journalctl "
            "-u tenured\n"
            "ok    queues    each queue in which jobs wait is listed by a pool, and none is paused\n");
}

TEST_F(Doctor, AFaultBehindTheWarningsThatAreNamedFails) {
  for (int i = 10; i < 30; ++i)
    execute("insert into tenant(name, generation, state, created_us) values ('b" + std::to_string(i) +
            "', 1, 1, 0)");
  execute("insert into tenant(name, generation, state, created_us) values ('zebra', 1, 6, 0)");
  EXPECT_EQ(examine({"tenants"}), 1);
  EXPECT_THAT(output.out, HasSubstr("FAIL  tenants   1 more like these\n"));
  EXPECT_EQ(output.error, "1 fault, 20 warnings\n");
  execute("update tenant set state = 1 where name = 'zebra'");
  EXPECT_EQ(examine({"tenants"}), 0);
  EXPECT_THAT(output.out, HasSubstr("warn  tenants   1 more like these\n"));
}

TEST_F(Doctor, CheckLooksThroughAllPagesRowsAndRecords) {
  EXPECT_EQ(run({"store", "check"}), 0) << output.out << output.error;
  EXPECT_THAT(output.out, HasSubstr("ok    places"));
  EXPECT_THAT(output.out, HasSubstr("ok    audit"));
  execute("delete from scheduled");
  EXPECT_EQ(run({"store", "check"}), 1);
  EXPECT_EQ(run({"store", "check", "--json"}), 1);
  EXPECT_TRUE(output.out.starts_with("{\"schema\":\"tenure.store.check/1\",\"items\":[")) << output.out;
}

TEST_F(Doctor, DamagedPagesAreFoundAndNothingIsMended) {
  for (int i = 10; i < 400; ++i) add_job(i, "acme", "billing.close");
  store.reset();
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path)) - 4096);
    file << std::string(4096, 'x');
  }
  EXPECT_EQ(examine({"store"}), 1);
  EXPECT_THAT(output.out, HasSubstr("found in its pages, the first: "));
  EXPECT_EQ(examine({"store", "places", "--fix"}), 1);
  EXPECT_THAT(output.error, HasSubstr("nothing was mended"));
  EXPECT_EQ(examine(), 1);
  EXPECT_THAT(output.out, HasSubstr("FAIL  places    not looked at, since pages are damaged\n"));
}

TEST_F(Doctor, ACheckThatCannotBeDoneFailsAndTheOthersAreDone) {
  execute("drop table pool");
  EXPECT_EQ(examine({"queues", "tenants"}), 1);
  EXPECT_THAT(output.out, HasSubstr("FAIL  queues    "));
  EXPECT_THAT(output.out, HasSubstr("ok    tenants   "));
}

}  // namespace
}  // namespace tenure::cli
