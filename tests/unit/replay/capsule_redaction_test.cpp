#include "capsules.hpp"

#include <tenure/replay/compare.hpp>
#include <tenure/replay/row_changes.hpp>

#include <fmt/format.h>

#include <fstream>
#include <iterator>

namespace tenure::testing {
namespace {

class CapsuleRedaction : public Capsules {
 protected:
  std::vector<std::string> after(const std::string& sql) { return ask_plainly(capture(), sql); }

  std::string refused() {
    try {
      capture();
    } catch (const ConstraintViolated& error) {
      EXPECT_EQ(files_in_place(), std::vector<std::string>{});
      return error.failure().message;
    }
    ADD_FAILURE() << "nothing was refused";
    return {};
  }
};

TEST_F(CapsuleRedaction, RPL_04_NoSecretOfArgumentsColumnsCallsOrChangesIsInTheFile) {
  write("create table account (id integer primary key, iban text, password_hash blob, note text)");
  write("insert into account values (1, 'DE0001secret', x'53454352455431', 'kept')");
  write("insert into account values (2, 'DE0002secret', null, 'kept too')");
  write("create table former (id integer primary key, token text)");
  write("insert into former values (1, 'tok_gone_secret')");
  write("delete from former");
  write("create table ignoring (id integer primary key, token text unique on conflict ignore)");
  write("create table replacing (id integer primary key, token text unique on conflict replace)");
  for (const char* table : {"ignoring", "replacing"})
    write("insert into " + std::string{table} + " values (1, 'tok_1_secret'), (2, 'tok_2_secret')");
  replay::Capsule what = capsule(R"({"api_token":"tok_argument_secret","invoice":7})");
  what.head.job.cursor = "after tok_argument_secret";
  what.run.cursor = "behind tok_argument_secret";
  what.run.calls = {
      {"login", R"({"session":{"token":"tok_call_secret"},"user":"ann"})"},
      {"new token", R"("tok_answer_secret")"},
      {"renew token", "", Failure{ErrorCode::handler_failed, "tok_refused_secret", "", "tok_where"}},
      {"send", "", Failure{ErrorCode::handler_failed, "tok_argument_secret is old", "", ""}}};
  what.run.failure->error = "std::runtime_error: tok_refused_secret";
  what.run.jobs.front().arguments = R"({"secret":"tok_child_secret","n":1})";
  what.run.changes = {{"account", replay::RowChange::Kind::updated, R"({"id":1})",
                       R"({"iban":"DE_before_secret"})", R"({"iban":"DE_after_secret"})"}};
  const auto file = capture(what);
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  for (const char* secret : {"DE0001secret", "DE0002secret", "SECRET1", "tok_gone_secret",
                             "tok_argument_secret", "tok_1_secret", "tok_2_secret", "tok_call_secret",
                             "tok_answer_secret", "tok_child_secret", "DE_before_secret", "DE_after_secret"})
    EXPECT_EQ(bytes.find(secret), std::string::npos) << secret;
  const replay::Capsule read = replay::read_capsule(file);
  EXPECT_EQ(value_or_raise(queue::read_envelope(read.head.job.envelope)).arguments,
            "{\"api_token\":\"••••\",\"invoice\":7}");
  EXPECT_EQ(read.head.job.cursor, "after ••••");
  EXPECT_EQ(read.run.cursor, "behind ••••");
  EXPECT_EQ(read.run.calls.front().value, "{\"session\":{\"token\":\"••••\"},\"user\":\"ann\"}");
  EXPECT_EQ(read.run.calls.at(1).value, "\"••••\"");
  EXPECT_EQ(read.run.calls.at(2).failure, (Failure{ErrorCode::handler_failed, "••••", "", "••••"}));
  EXPECT_EQ(read.run.failure->error, "std::runtime_error: ••••") << "what the call threw ended the run";
  EXPECT_EQ(read.run.calls.at(3).failure->message, "•••• is old");
  EXPECT_EQ(read.run.jobs.front().arguments, "{\"secret\":\"••••\",\"n\":1}");
  EXPECT_EQ(read.run.changes.front().after, "{\"iban\":\"••••\"}");
  EXPECT_EQ(ask_plainly(file, "select note from account"), (std::vector<std::string>{"kept", "kept too"}));
  for (const char* table : {"ignoring", "replacing"})
    EXPECT_EQ(ask_plainly(file, "select token from " + std::string{table} + " order by id"),
              (std::vector<std::string>{"••••1", "••••2"}))
        << table;
}

TEST_F(CapsuleRedaction, ReceiptsAreThoseOfTheJobWithoutTheSecretsOfTheirResults) {
  const auto receipt = [](std::string_view job, std::string_view step, std::string_view result) {
    return fmt::format("insert into tenure_receipts values (x'{}', '{}', 1, 1, 1, cast('{}' as blob))", job,
                       step, result);
  };
  constexpr std::string_view kJob = "01890a5dac96774bbcceb302099a8057";
  handles_.close_idle();
  const auto tenant = handles_.files().path_for(acme_);
  ask_plainly(tenant, receipt(kJob, "login", R"({"session":{"token":"tok_member_secret"},"user":"ann"})"));
  ask_plainly(tenant, receipt(kJob, "make token", R"("tok_result_secret")"));
  ask_plainly(tenant, receipt(kJob, "no token", "tok_no_json_secret"));
  ask_plainly(tenant, receipt(kJob, "a done", ""));
  ask_plainly(tenant, receipt(kJob, "a list", "[ 1, 2 ]"));
  ask_plainly(tenant, receipt(kJob, "a text", "words"));
  ask_plainly(tenant, receipt("00000000000000000000000000000000", "pay", R"("of another job")"));
  const auto file = capture();
  EXPECT_EQ(
      ask_plainly(file, "select step || ' ' || cast(result as text) from tenure_receipts order by step"),
      (std::vector<std::string>{"a done ", "a list [ 1, 2 ]", "a text words",
                                "login {\"session\":{\"token\":\"••••\"},\"user\":\"ann\"}",
                                "make token \"••••\"", "no token ••••"}));
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  for (const char* gone : {"tok_member_secret", "tok_result_secret", "tok_no_json_secret", "of another job"})
    EXPECT_EQ(bytes.find(gone), std::string::npos) << gone;
}

TEST_F(CapsuleRedaction, AColumnKeepsTheTypesOfItsValues) {
  write("create table mixed (id integer primary key, secret)");
  for (const char* value : {"'text'", "''", "12", "1.5", "x'00ff'", "null"})
    write("insert into mixed (secret) values (" + std::string{value} + ")");
  EXPECT_EQ(after("select typeof(secret) || ' ' || quote(secret) from mixed order by id"),
            (std::vector<std::string>{"text '••••'", "text '••••'", "integer 0", "real 0.0", "blob X''",
                                      "null NULL"}));
}

TEST_F(CapsuleRedaction, AStrictTableIsRedacted) {
  write(
      "create table strict_one (id integer primary key, token text, pin_secret int, raw_token blob) strict");
  write("insert into strict_one values (1, 'abc', 4711, x'aa')");
  EXPECT_EQ(after("select token || pin_secret || hex(raw_token) from strict_one"),
            std::vector<std::string>{"••••0"});
}

TEST_F(CapsuleRedaction, WhereValuesMustDifferTheirRowsTellThemApart) {
  write("create table session (id integer primary key, token text unique check (length(token) > 4))");
  write("insert into session values (3, 'aaaaaa'), (8, 'bbbbbb')");
  write("create table ticket (area text, token text, note text, primary key (area, token)) without rowid");
  write("insert into ticket values ('a', 't1', 'x'), ('a', 't2', 'y'), ('b', 't1', 'z')");
  const auto file = capture();
  EXPECT_EQ(ask_plainly(file, "select token from session order by id"),
            (std::vector<std::string>{"••••3", "••••8"}));
  EXPECT_EQ(ask_plainly(file, "select area || token || note from ticket order by 1"),
            (std::vector<std::string>{"a••••1x", "a••••2y", "b••••3z"}));
}

TEST_F(CapsuleRedaction, TriggersAndForeignKeysAreNoWayAround) {
  write("create table person (token text primary key)");
  write("create table visit (person_token text references person (token) on update cascade, copy text)");
  write("create table copies (text)");
  write("create trigger keep after update on person begin insert into copies values (old.token); end");
  write("insert into person values ('p_secret')");
  write("insert into visit values ('p_secret', 'c')");
  const auto file = capture();
  EXPECT_EQ(ask_plainly(file, "select count(*) from copies"), std::vector<std::string>{"0"});
  EXPECT_EQ(ask_plainly(file, "select person_token from visit"), std::vector<std::string>{"••••"});
}

// What a constraint makes of the same value twice is not its own to decide: not in a key either.
TEST_F(CapsuleRedaction, NoRowIsLostWhereAKeyReplacesOrIgnoresItsLike) {
  for (const char* action : {"ignore", "replace"}) {
    const std::string table = "key_" + std::string{action};
    write("create table " + table + " (token text, n integer, primary key (token) on conflict " + action +
          ") without rowid");
    write("insert into " + table + " values ('a1', 1), ('a2', 2), ('a3', 3)");
  }
  const auto file = capture();
  for (const char* action : {"ignore", "replace"})
    EXPECT_EQ(ask_plainly(file, "select token || n from key_" + std::string{action} + " order by n"),
              (std::vector<std::string>{"••••11", "••••22", "••••33"}))
        << action;
}

TEST_F(CapsuleRedaction, NumbersThatReplaceEachOtherAreRefusedByName) {
  write("create table pin (pin_secret integer unique on conflict replace)");
  write("insert into pin values (11), (12)");
  const std::string message = refused();
  EXPECT_NE(message.find("pin_secret of table pin"), std::string::npos) << message;
}

TEST_F(CapsuleRedaction, WhatCannotBeRedactedIsRefusedByName) {
  write("create table pin (pin_secret integer unique)");
  write("insert into pin values (11), (12)");
  const std::string message = refused();
  EXPECT_NE(message.find("pin_secret of table pin"), std::string::npos) << message;
}

TEST_F(CapsuleRedaction, ColumnsOfVirtualTablesAndGeneratedOnesAreRefusedByName) {
  write("create table shape (raw text, token text as (upper(raw)) stored)");
  EXPECT_NE(refused().find("token of table shape"), std::string::npos);
  write("drop table shape");
  write("create virtual table found using fts5(title, token)");
  EXPECT_NE(refused().find("token of table found"), std::string::npos);
}

TEST_F(CapsuleRedaction, AVirtualTableWithoutSecretsIsCopied) {
  write("create virtual table found using fts5(title)");
  write("insert into found values ('the quick fox')");
  EXPECT_EQ(after("select title from found where found match 'quick'"),
            std::vector<std::string>{"the quick fox"});
}

// SQLite takes a plain table for one of a virtual table's own by its name alone, and lets nobody write to it.
TEST_F(CapsuleRedaction, ATableNamedAsOneOfAVirtualTablesOwnIsRefusedByName) {
  write("create table docs_content (id integer primary key, title text, token text)");
  write("insert into docs_content values (1, 'plain', 'tok_content_secret')");
  write("create virtual table docs using fts5(title, content='docs_content', content_rowid='id')");
  EXPECT_THROW(write("update docs_content set title = 'other'"), Error) << "so no run can change it";
  const std::string message = refused();
  EXPECT_NE(message.find("token of table docs_content"), std::string::npos) << message;
}

// As a library with samples (SQLITE_ENABLE_STAT4) leaves them.
TEST_F(CapsuleRedaction, NoSamplesOfValuesAreLeftInStatistics) {
  handles_.close_idle();
  ask_plainly(
      handles_.files().path_for(acme_),
      "pragma writable_schema = on;"
      "create table sqlite_stat4 (tbl, idx, neq, nlt, ndlt, sample);"
      "insert into sqlite_stat4 values ('session', 'session_token', '1', '0', '0', 'sampled_secret')");
  const auto file = capture();
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(bytes.find("sampled_secret"), std::string::npos);
  EXPECT_EQ(ask_plainly(file, "select count(*) from sqlite_stat4"), std::vector<std::string>{"0"});
}

// The keys differ from run to run, so that the order of the rows must not tell of them.
TEST(RedactedRun, RowsAreInTheOrderOfWhatIsLeftOfTheirKeys) {
  const auto run = [](const std::string& first, const std::string& second) {
    using replay::RowChange;
    replay::RunRecord made;
    made.changes = {
        {"session", RowChange::Kind::inserted, R"({"token":")" + first + R"("})", "", R"({"n":1})"},
        {"session", RowChange::Kind::inserted, R"({"token":")" + second + R"("})", "", R"({"n":2})"}};
    replay::sort_changes(made.changes);
    return replay::redacted(std::move(made), queue::Mask{});
  };
  EXPECT_EQ(replay::compare(run("a", "b"), run("d", "c")), std::nullopt);
}

TEST(RedactedRun, AValueOfACallThatCannotBeLookedIntoIsNull) {
  replay::RunRecord run;
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + "7" + std::string(depth, ']');
  };
  run.calls = {
      {"a token", nested(64)}, {"a token", nested(3)}, {"a token", "no json"}, {"a token", R"(1,"n":"x")"}};
  run = replay::redacted(std::move(run), queue::Mask{});
  std::vector<std::string> values;
  for (const replay::RecordedCall& call : run.calls) values.push_back(call.value);
  EXPECT_EQ(values, (std::vector<std::string>{"null", "[[[0]]]", "null", "null"}));
}

TEST(MaskRedacted, KeepsTypesAndShapeAndNothingElse) {
  const queue::Mask mask{{"pin"}};
  EXPECT_EQ(mask.redacted(R"({"pin":7,"a":[{"token":["x",1,2.5,true,null,{"k":"v"}]}],"b":"x"})"),
            "{\"pin\":0,\"a\":[{\"token\":[\"••••\",0,0.0,false,null,{}]}],\"b\":\"x\"}");
  EXPECT_EQ(mask.redacted("no json"), "");
}

}  // namespace
}  // namespace tenure::testing
