#include "commands.hpp"
#include "file_program.hpp"
#include "outbox_rows.hpp"

#include <filesystem>
#include <fstream>
#include <map>

// What operators change leaves a record, and who may look at it.
namespace tenure::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Audit : public Program {
 protected:
  Audit() {
    add_tenant("acme");
    for (int i = 1; i <= 3; ++i) add_job(i, "acme", "billing.close");
    for (int i = 1; i <= 3; ++i) die(i);
    add_job(4, "acme", "house.keeping");
    add_job(5, "acme", "billing.close", "{}", std::chrono::hours(1));
  }
  static std::string id(int seed) { return job_id(seed).text(); }

  std::vector<queue::AuditRecord> records() {
    std::vector<queue::AuditRecord> list;
    store->read([&](queue::JobReader& reader) {
      reader.for_each_audit(std::nullopt, [&](const queue::AuditRecord& record) {
        list.push_back(record);
        return true;
      });
    });
    return list;
  }
  queue::AuditRecord newest() {
    const auto all = records();
    if (all.empty()) throw std::runtime_error("there is no record");
    return all.front();
  }
};

TEST_F(Audit, ARecordNamesTheJobsOrTheFilter) {
  EXPECT_EQ(run({"job", "retry", id(1), id(4), id(2)}), 1);  // 4 is not for it
  EXPECT_EQ(newest().entry.subject, id(1) + ' ' + id(2));
  EXPECT_EQ(newest().entry.count, 2);
  EXPECT_EQ(run({"job", "retry", "state=dead", "tenant=acme", "--yes"}), 0);
  EXPECT_EQ(newest().entry.subject, "state=dead tenant=acme");
  EXPECT_EQ(newest().entry.count, 1);
}

TEST_F(Audit, ARecordSaysWhatJobsWereChangedTo) {
  EXPECT_EQ(run({"job", "change", id(5), "--queue", "reports", "--priority", "3"}), 0);
  EXPECT_EQ(newest().entry.subject, id(5) + ": queue reports, priority 3");
  EXPECT_EQ(run({"job", "change", "queue=reports", "--run-at", "2026-03-03", "--yes"}), 0);
  EXPECT_EQ(newest().entry.subject, "queue=reports: due 2026-03-03T00:00:00Z");
  EXPECT_EQ(run({"queue", "clear", "reports", "--yes"}), 0);
  EXPECT_EQ(newest().entry.subject, "queue=reports");
}

TEST_F(Audit, ARecordNamesTheJobsThatWereEnqueuedAndNotThoseThatExisted) {
  std::string input = "{\"id\":\"" + id(7) + "\"}\n{\"id\":\"" + id(8) + "\"}\n";
  environment.read_input = [&](std::size_t) { return std::exchange(input, {}); };
  EXPECT_EQ(run({"job", "enqueue", "billing.close", "--tenant", "acme", "--id", id(7)}), 0);
  EXPECT_EQ(newest().entry.subject, id(7));
  EXPECT_EQ(run({"job", "enqueue", "billing.close", "--tenant", "acme", "--id", id(7)}), 0);
  EXPECT_EQ(records().size(), 1U);
  EXPECT_EQ(run({"job", "enqueue", "billing.close", "--tenant", "acme", "--lines"}), 0);
  EXPECT_EQ(newest().entry.subject, id(8));
  EXPECT_EQ(newest().entry.count, 1);
}

TEST_F(Audit, WhatChangesNothingLeavesNone) {
  EXPECT_EQ(run({"job", "retry", "state=dead", "--dry-run"}), 0);
  EXPECT_EQ(run({"job", "retry", "state=discarded", "--yes"}), 0);
  EXPECT_EQ(run({"job", "retry", id(4)}), 1);
  EXPECT_EQ(run({"job", "delete", id(1)}), 2);
  EXPECT_EQ(run({"job", "list"}), 0);
  EXPECT_TRUE(records().empty());
  EXPECT_EQ(identified, 0) << "nobody is asked for who only looks";
}

TEST_F(Audit, EachCommitOfManyHasItsOwn) {
  for (int i = 10; i < 10 + 501; ++i) add_job(i, "acme", "reports.monthly");
  EXPECT_EQ(run({"job", "cancel", "kind=reports.*", "--yes"}), 0);
  const auto all = records();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(identified, 1);
  EXPECT_EQ(all[1].entry.count, 500);
  EXPECT_EQ(all[0].entry.count, 1);
}

TEST_F(Audit, AReasonHasALimit) {
  EXPECT_EQ(run({"job", "retry", id(1), "--reason", std::string(queue::kAuditReasonMax + 1, 'x')}), 2);
  EXPECT_THAT(output.error, HasSubstr("--reason has 1025 bytes, and 1024 at most are recorded"));
  EXPECT_TRUE(records().empty());
  EXPECT_EQ(run({"job", "retry", id(1), "--reason", std::string(queue::kAuditReasonMax, 'x')}), 0);
  EXPECT_EQ(run({"job", "list", "--reason", "x"}), 2);
}

TEST_F(Audit, IsListedTheNewestFirst) {
  EXPECT_EQ(run({"job", "retry", "state=dead", "--yes", "--reason", "mail\x1b[2J is back"}), 0);
  clock.advance(std::chrono::seconds(90));
  who = {.uid = 1001, .login = "dana", .login_uid = 1001, .host = "app-2"};
  EXPECT_EQ(run({"job", "cancel", id(4)}), 0);
  EXPECT_EQ(run({"store", "audit"}), 0);
  expect_golden("store_audit.txt");
  EXPECT_EQ(output.error, "2 records\n");
  EXPECT_EQ(run({"store", "audit", "--json"}), 0);
  expect_golden("store_audit.json");
}

TEST_F(Audit, IsFilteredAndPaged) {
  for (int i = 1; i <= 3; ++i)
    EXPECT_EQ(run({"job", "retry", id(i), "--reason", "no " + std::to_string(i)}), 0);
  EXPECT_EQ(run({"job", "cancel", id(4)}), 0);
  const auto shown = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"store", "audit", "--columns", "number"});
    EXPECT_EQ(run(words), 0) << output.error;
    std::string numbers;
    for (const char c : output.out)
      if (std::isdigit(static_cast<unsigned char>(c)) != 0) numbers += c;
    return numbers;
  };
  EXPECT_EQ(shown({}), "4321");
  EXPECT_EQ(shown({"--limit", "3"}), "432");
  EXPECT_EQ(output.error, "3 of 4; next page: --after 2\n");
  EXPECT_EQ(shown({"--limit", "3", "--after", "2"}), "1");
  EXPECT_EQ(shown({"verb=job retry"}), "321");
  EXPECT_EQ(shown({"verb!=job re*"}), "4");
  EXPECT_EQ(shown({"reason=no ?"}), "321");
  EXPECT_EQ(shown({"login=root", "host=app-1", "subject=*" + id(2)}), "2");
  EXPECT_EQ(shown({"at=-1h.."}), "4321");
  EXPECT_EQ(shown({"at=..-1h"}), "");
  EXPECT_EQ(run({"store", "audit", "--after", "x"}), 2);
  EXPECT_EQ(run({"store", "audit", "state=dead"}), 2);
  EXPECT_EQ(run({"store", "audit", "--fail-if-any"}), 1);
  EXPECT_EQ(run({"store", "audit", "login=nobody", "--fail-if-any"}), 0);
}

TEST_F(Audit, OBS_09_VerifySaysThatAllIsWellAndPrintsTheHead) {
  EXPECT_EQ(run({"job", "retry", "state=dead", "--yes"}), 0);
  EXPECT_EQ(run({"store", "audit", "--verify"}), 0);
  const std::string head = text_of(queue::AuditMark{1, newest().hash});
  EXPECT_EQ(output.out, "ok    1 record, each as it was made\nhead  " + head + "\n");
  EXPECT_EQ(run({"store", "audit", "--verify", "--json"}), 0);
  EXPECT_EQ(
      output.out,
      "{\"schema\":\"tenure.store.audit.verify/1\",\"item\":{\"intact\":true,\"records\":1,\"head\":\"" +
          head + "\",\"fault\":null}}\n");
  EXPECT_EQ(run({"store", "audit", "--verify", "--head", head}), 0);
  EXPECT_EQ(run({"store", "audit", "--verify", "--head", "2" + head.substr(1)}), 1);
  EXPECT_THAT(output.out, HasSubstr("FAIL  row 2: rows are cut off at the end"));
  EXPECT_EQ(run({"store", "audit", "--verify", "--head", "2"}), 2);
  EXPECT_EQ(run({"store", "audit", "--head", head}), 2);
  EXPECT_EQ(run({"store", "audit", "--verify", "verb=x"}), 2);
}

TEST_F(Audit, OBS_09_VerifyNamesTheFirstRowThatWasEdited) {
  const std::filesystem::path path = folder / "control.db";
  store = queue::open_sqlite_store({.path = path, .create = true}, clock);
  add_tenant("acme");
  add_job(1, "acme", "billing.close");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(run({"job", "cancel", id(1)}), 0);
    EXPECT_EQ(run({"job", "retry", id(1)}), 0);
  }
  sqlite::Connection(path, {}).execute(
      {"edit",
       "drop trigger audit_row_stays_as_it_is; update audit set login = 'dana' where number in (3, 5)"});
  EXPECT_EQ(run({"store", "audit", "--verify"}), 1);
  EXPECT_THAT(output.out, HasSubstr("FAIL  row 3: the row does not follow from the one before it"));
  EXPECT_EQ(run({"store", "audit", "--verify", "--json"}), 1);
  EXPECT_THAT(output.out, HasSubstr("\"intact\":false,\"records\":6"));
  EXPECT_THAT(output.out, HasSubstr("\"fault\":{\"number\":3,"));
}

class EveryVerb : public FileProgram {
 protected:
  EveryVerb() {
    add_tenant("acme");
    for (int i = 1; i <= 3; ++i) add_job(i, "acme", "billing.close");
    for (int i = 1; i <= 3; ++i) die(i);
    add_job(4, "acme", "house.keeping");
    add_job(5, "acme", "billing.close", "{}", std::chrono::hours(1));
    EXPECT_EQ(run({"job", "retry", id(3)}), 0) << output.error;
    fail_once(3, "no answer");
    execute("insert into claim values (77, 1, 1, 1, null, 5)");
  }
  static std::string id(int seed) { return job_id(seed).text(); }
  std::vector<queue::AuditRecord> records() {
    std::vector<queue::AuditRecord> list;
    store->read([&](queue::JobReader& reader) {
      reader.for_each_audit(std::nullopt, [&](const queue::AuditRecord& record) {
        list.push_back(record);
        return true;
      });
    });
    return list;
  }
};

// From the table of verbs, so that none can be forgotten.
TEST_F(EveryVerb, OBS_09_ThatChangesSomethingLeavesARecord) {
  const std::map<std::string, std::vector<std::string>, std::less<>> arguments{
      {"job enqueue", {"billing.close", "--tenant", "acme"}},
      {"job retry", {id(1)}},
      {"job run", {id(5)}},
      {"job cancel", {id(4)}},
      {"job discard", {id(3)}},
      {"job delete", {id(2), "--yes"}},
      {"job copy", {id(1)}},
      {"job change", {id(5), "--queue", "reports"}},
      {"tenant create", {"heron"}},
      {"tenant backup", {"kestrel", (folder / "kestrel.db").string()}},
      {"tenant restore", {"kestrel", (folder / "kestrel.db").string(), "--yes"}},
      {"tenant reconcile", {"kestrel", "--restamp", "--yes"}},
      {"tenant clone", {"kestrel", "kite"}},
      {"tenant migrate", {"name=ibis"}},
      {"tenant outbox", {"ibis", "--pass-over", "1", "--yes"}},
      {"tenant pause", {"ibis"}},
      {"tenant resume", {"ibis"}},
      {"tenant set", {"ibis", "read_only=false"}},
      {"tenant delete", {"kestrel", "--confirm", "kestrel"}},
      {"tenant undelete", {"kestrel"}},
      {"tenant adopt", {"found"}},
      {"tenant recheck", {"jackdaw", "--yes"}},
      {"queue clear", {"reports", "--yes"}},
      {"queue pause", {"reports"}},
      {"queue resume", {"reports"}},
      {"kind pause", {"billing.close"}},
      {"kind resume", {"billing.close"}},
      {"schedule run", {"nightly"}},
      {"schedule pause", {"nightly"}},
      {"schedule resume", {"nightly"}},
      {"schedule add", {"other", "billing.close", "--every", "1h"}},
      {"schedule remove", {"other"}},
      {"fan-out start", {"billing.close"}},
      {"fan-out cancel", {"019cadff-0000-7000-8000-0000000000f1", "--yes"}},
      {"batch retry", {batch_id().text(), "--yes"}},
      {"batch cancel", {batch_id().text(), "--yes"}},
      {"limit set", {"closes", "3", "--kind", "billing.*"}},
      {"limit unset", {"closes"}},
      {"replay capture", {id(5)}},
      {"replay cancel", {"1"}},
      {"store doctor", {"places", "--fix"}},
      {"store backup", {(folder / "copy.db").string()}},
      {"store migrate", {}},
      {"store restore", {"--accept-repeats"}},
      {"store prune", {}},
      {"store checkpoint", {}},
      {"store compact", {}},
      {"worker quiet", {"--yes"}},
      {"worker resume", {"general"}},
      {"worker drain", {"3"}},
      {"worker recycle", {}},
      {"config reload", {}},
  };
  // The real one records it in the commit of its last step, and there is none to take.
  environment.migrate_store = [this](const std::filesystem::path&, queue::AuditEntry entry) {
    entry.count = 1;
    store->write(queue::Durability::durable,
                 [&](queue::StoreWriter& writer) { writer.append_audit(entry, clock.wall()); });
    return queue::SchemaState{};
  };
  // The real ones are of a file, and record it.
  const auto recorded = [this](queue::AuditEntry entry) {
    entry.count = 1;
    store->write(queue::Durability::durable,
                 [&](queue::StoreWriter& writer) { writer.append_audit(entry, clock.wall()); });
  };
  environment.checkpoint_store = [recorded](const std::filesystem::path&, const queue::AuditEntry& entry) {
    recorded(entry);
    return queue::MovedLog{};
  };
  environment.compact_store = [recorded](const std::filesystem::path&, const queue::AuditEntry& entry) {
    recorded(entry);
    return queue::CompactedStore{};
  };
  // The real one records it in its commit; a store in memory is no copy.
  environment.accept_copy = [this](const std::filesystem::path&, queue::AcceptRepeats accept,
                                   queue::AuditEntry entry) -> std::optional<queue::RestoreRecord> {
    EXPECT_EQ(accept, queue::AcceptRepeats::yes);
    entry.count = 1;
    store->write(queue::Durability::durable,
                 [&](queue::StoreWriter& writer) { writer.append_audit(entry, clock.wall()); });
    return queue::RestoreRecord{.epoch = 2};
  };
  environment.ask_daemon = [](const std::filesystem::path&, std::string_view,
                              std::chrono::milliseconds) -> tl::expected<std::string, FailedExchange> {
    return R"({"status":200,"body":{"items":[{"process":3,"pool":"general"}]}})";
  };
  open_batch("acme");
  add_member(11, "acme");
  EXPECT_EQ(run({"job", "cancel", id(11)}), 0) << output.error;
  EXPECT_EQ(run({"schedule", "add", "nightly", "billing.close", "--every", "1h"}), 0) << output.error;
  EXPECT_EQ(run({"fan-out", "start", "billing.close", "--id", "019cadff-0000-7000-8000-0000000000f1"}), 0)
      << output.error;
  EXPECT_EQ(run({"tenant", "create", "kestrel"}), 0) << output.error;
  add_job(13, "kestrel", "house.keeping");
  on_pause = [] { return true; };
  for (const char* name : {"ibis", "jackdaw"}) {
    EXPECT_EQ(run({"tenant", "create", name}), 0) << output.error;
    leave_row(folder.path(), name, job_on_its_way("nobody", 1, clock.wall()));
  }
  take_over_up_to(*store, "jackdaw", 1, clock.wall());
  store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    writer.note_older_copy({TenantName{"jackdaw"}, Generation{1}}, queue::OutboxSeq{0}, queue::OutboxSeq{1},
                           clock.wall());
  });
  std::filesystem::create_directory(folder / "migrations");
  std::ofstream(folder / "migrations" / "0001_account.sql") << "create table account(iban text)";
  environment.variables.emplace_back("TENURE_TENANTS_MIGRATIONS", (folder / "migrations").string());
  sqlite::Connection{folder / "tenants/found.db", {.access = sqlite::Access::create}}.execute(
      {"tables", "create table account(iban text)"});
  clock.jump_wall(-std::chrono::hours(48));
  add_job(9, "acme", "billing.close");
  succeed(9);
  clock.jump_wall(std::chrono::hours(48));
  add_job(10, "acme", "billing.close");
  const CommandLine always{.words = {}, .options = {{"fix", ""}, {"pass-over", "1"}, {"restamp", ""}}};
  for (const Verb& verb : verbs()) {
    EXPECT_EQ(takes(verb, "reason"), verb.effect != Effect::reads) << verb.name;
    EXPECT_EQ(takes(verb, "fix"), verb.effect == Effect::mends) << verb.name;
    EXPECT_EQ(takes(verb, "pass-over"), verb.effect == Effect::gives_up) << verb.name;
    if (!changes_something(verb, always)) continue;
    const std::string name = std::string(verb.noun) + ' ' + std::string(verb.name);
    SCOPED_TRACE(name);
    ASSERT_TRUE(arguments.contains(name)) << "say here what it can be tried with";
    std::vector<std::string> words{std::string(verb.noun), std::string(verb.name)};
    for (const std::string& word : arguments.at(name)) words.push_back(word);
    words.insert(words.end(), {"--reason", "ticket 4711"});
    const std::size_t before = records().size();
    EXPECT_EQ(run(words), 0) << output.error << output.out;
    ASSERT_GT(records().size(), before);
    const queue::AuditRecord newest = records().front();
    EXPECT_EQ(newest.entry.verb, name);
    EXPECT_EQ(newest.entry.reason, "ticket 4711");
    EXPECT_EQ(newest.entry.count, 1);
    EXPECT_EQ(newest.entry.who, who);
  }
}

}  // namespace
}  // namespace tenure::cli
