#include "commands.hpp"
#include "file_program.hpp"
#include "nouns.hpp"
#include "outbox_rows.hpp"
#include "written_capsules.hpp"

#include <array>
#include <fstream>
#include <map>

// Secrets in arguments, in everything that `tenure` prints.
namespace tenure::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::array<std::string_view, 4> kSecrets{"s3cr3t-recipient", "s3cr3t-token", "s3cr3t-key",
                                                   "s3cr3t-iban"};
const std::string kFanOutOfSecrets = "019cadff-0000-7000-8000-0000000000f1";
constexpr std::string_view kArguments =
    R"({"recipient":"s3cr3t-recipient","login":{"api_token":["s3cr3t-token"],"deep":[[{"aws_KEY":{"s3cr3t-key":[1,{"x":"s3cr3t-key"}]}}]]},)"
    R"("accounts":[{"iban":"s3cr3t-iban"}],"plain":"shown"})";

class Secrets : public FileProgram {
 protected:
  Secrets() {
    std::ofstream(folder / "tenure.toml", std::ios::app)
        << "[security]\nmask = [\"recipient\", \"iban\", \"*_key\"]\n"
        << "[[pool]]\nname = \"general\"\nprogram = \"/bin/true\"\n";
    add_tenant("acme");
    for (int seed = 1; seed <= 3; ++seed) add_job(seed, "acme", "billing.send", kArguments);
    die(1, "••••: no mailbox");
    // As an older release, or one without the mask, has stored it.
    fail_once(2, "no mailbox s3cr3t-recipient");
    environment.read_input = [this](std::size_t) { return std::exchange(input, {}); };
  }
  std::string everything() const { return output.out + output.error; }
  bool shows_a_secret() const {
    return std::ranges::any_of(
        kSecrets, [&](std::string_view secret) { return everything().find(secret) != std::string::npos; });
  }
  std::string input;
};

TEST_F(Secrets, OBS_08_JobShowMasksThemAtAnyDepthAndInTheErrorsThatQuoteThem) {
  for (int seed = 1; seed <= 3; ++seed)
    for (const bool json : {false, true}) {
      std::vector<std::string> words{"job", "show", job_id(seed).text()};
      if (json) words.emplace_back("--json");
      EXPECT_EQ(run(words), 0);
      EXPECT_FALSE(shows_a_secret()) << everything();
      EXPECT_THAT(output.out, HasSubstr(R"("recipient":"••••")"));
      EXPECT_THAT(output.out, HasSubstr(R"("deep":[[{"aws_KEY":"••••"}]])"));
      EXPECT_THAT(output.out, HasSubstr(R"("plain":"shown")"));
    }
  EXPECT_EQ(run({"job", "show", job_id(2).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("no mailbox ••••"));
}

// From the table of verbs, so that none can be forgotten. What other verbs show of an error is masked where it was stored,
// and what is in a capsule where it was written.
TEST_F(Secrets, OBS_08_NoVerbPrintsThem) {
  // As one is that was captured before the mask was what it is now.
  replay::Capsule captured = testing::capsule_of(job_id(1), kArguments);
  captured.run.calls = {{"login", std::string{kArguments}}};
  captured.run.changes = {
      {"account", replay::RowChange::Kind::inserted, R"({"id":1})", "", R"({"id":1,"iban":"s3cr3t-iban"})"}};
  const std::string capsule = testing::write_capsule(folder / "capsules", captured).string();
  const std::map<std::string_view, std::vector<std::string>> arguments{
      {"job show", {job_id(1).text()}},
      {"job why", {job_id(3).text()}},
      {"tenant show", {"acme"}},
      {"queue show", {"default"}},
      {"tenant check", {"name=heron"}},
      {"tenant migrate", {"name=heron", "--dry-run"}},
      {"tenant outbox", {"heron"}},
      {"tenant pause", {"acme", "--dry-run"}},
      {"tenant resume", {"acme", "--dry-run"}},
      {"tenant delete", {"acme", "--dry-run"}},
      {"tenant backup", {"heron", (folder / "other.db").string(), "--dry-run"}},
      {"tenant restore", {"heron", (folder / "heron.db").string(), "--dry-run"}},
      {"tenant reconcile", {"acme"}},
      {"tenant clone", {"heron", "heron-test", "--dry-run"}},
      {"tenant set", {"acme", "read_only=true", "--dry-run"}},
      {"kind show", {"billing.send"}},
      {"queue clear", {"default", "--dry-run"}},
      {"queue pause", {"default"}},
      {"kind pause", {"billing.send"}},
      {"replay capture", {job_id(1).text(), "--dry-run"}},
      {"replay cancel", {"1", "--dry-run"}},
      {"replay list", {}},
      {"replay show", {capsule}},
      {"schedule show", {"nightly"}},
      {"schedule preview", {"nightly"}},
      {"schedule run", {"nightly", "--dry-run"}},
      {"schedule pause", {"nightly", "--dry-run"}},
      {"schedule resume", {"paused", "--dry-run"}},
      {"schedule add", {"other", "billing.send", std::string{kArguments}, "--every", "1h", "--dry-run"}},
      {"schedule remove", {"nightly", "--dry-run"}},
      {"fan-out start", {"billing.send", std::string{kArguments}, "--dry-run"}},
      {"fan-out show", {kFanOutOfSecrets}},
      {"fan-out tenants", {kFanOutOfSecrets, "--which", "all"}},
      {"fan-out cancel", {kFanOutOfSecrets, "--dry-run"}},
      {"batch show", {batch_id().text()}},
      {"batch retry", {batch_id().text(), "--dry-run"}},
      {"batch cancel", {batch_id().text(), "--dry-run"}},
      {"limit show", {"sends"}},
      {"limit set", {"sends", "4", "--dry-run"}},
      {"limit unset", {"sends", "--dry-run"}},
      {"tenant adopt", {"heron", "--dry-run"}},
      {"store migrate", {"--dry-run"}},
      {"store prune", {"--dry-run"}},
      {"store checkpoint", {}},
      {"store compact", {}},
      {"config explain", {"security.mask"}}};
  open_batch("acme", kArguments);
  EXPECT_EQ(run({"fan-out", "start", "billing.send", std::string{kArguments}, "--id", kFanOutOfSecrets}), 0)
      << output.error;
  EXPECT_EQ(run({"tenant", "create", "heron"}), 0) << output.error;
  on_pause = [] { return true; };
  EXPECT_EQ(run({"tenant", "backup", "heron", (folder / "heron.db").string()}), 0) << output.error;
  on_pause = nullptr;
  std::filesystem::create_directory(folder / "migrations");
  std::ofstream(folder / "migrations" / "0001_account.sql") << "create table account(iban text)";
  environment.variables.emplace_back("TENURE_TENANTS_MIGRATIONS", (folder / "migrations").string());
  EXPECT_EQ(run({"replay", "capture", "--tenant", "acme"}), 0) << output.error;
  for (const char* const name : {"nightly", "paused"})
    EXPECT_EQ(run({"schedule", "add", name, "billing.send", std::string{kArguments}, "--every", "1h"}), 0)
        << output.error;
  EXPECT_EQ(run({"schedule", "pause", "paused"}), 0) << output.error;
  EXPECT_EQ(run({"limit", "set", "sends", "3", "--kind", "billing.*"}), 0) << output.error;
  leave_row(folder.path(), "heron", job_on_its_way("nobody", 1, clock.wall(), kArguments));
  fail_once(3, "••••");
  execute("update attempt set error = '••••'");
  for (const Verb& verb : verbs()) {
    if (verb.noun == "worker" || verb.noun == "replay" || verb.run == job_tail || verb.run == config_reload ||
        verb.run == job_enqueue || verb.run == tenant_create || verb.run == tenant_recheck ||
        verb.run == tenant_undelete || verb.run == store_backup || verb.run == queue_resume ||
        verb.run == kind_resume || verb.run == store_restore || verb.run == replay_run)
      continue;
    const std::string name = std::string(verb.noun) + ' ' + std::string(verb.name);
    std::vector<std::string> words{std::string(verb.noun), std::string(verb.name)};
    if (const auto found = arguments.find(name); found != arguments.end())
      words.insert(words.end(), found->second.begin(), found->second.end());
    else if (verb.effect == Effect::changes) words.insert(words.end(), {"tenant=acme", "--dry-run"});
    if (verb.name == "change") words.insert(words.end(), {"--priority", "5"});
    for (const std::string_view option : {"", "--json"}) {
      if (!option.empty()) words.emplace_back(option);
      EXPECT_EQ(run(words), 0) << name << everything();
      EXPECT_FALSE(shows_a_secret()) << name << everything();
    }
  }
}

TEST_F(Secrets, OBS_08_AnEnqueueThatIsRefusedQuotesNone) {
  constexpr std::array<std::string_view, 5> kBad{
      R"({"recipient":{"$gid":"gid://billing/Mail/s3cr3t-recipient?tenant=globex"}})",
      R"({"a":[{"api_token":[{"$gid":"s3cr3t-token"}]}]})",
      R"({"deep":{"aws_key":{"s3cr3t-key":{"$gid":"s3cr3t-key","x":1}}}})",
      R"({"iban":"s3cr3t-iban","x":{"$gid":"gid://billing/Mail/s3cr3t-iban?tenant=globex"}})",
      R"({"aws_key":{"s3cr3t-key":[1,}})"};
  for (const std::string_view json : kBad)
    for (const bool as_json : {false, true}) {
      std::vector<std::string> words{"job", "enqueue", "billing.send", std::string(json), "--tenant", "acme"};
      if (as_json) words.emplace_back("--json");
      EXPECT_THAT(run(words), ::testing::AnyOf(1, 2, 65)) << json;
      EXPECT_FALSE(shows_a_secret()) << everything();
      input = R"({"arguments":)" + std::string(json) + "}\n";
      std::vector<std::string> lines{"job", "enqueue", "billing.send", "--lines", "--tenant", "acme"};
      if (as_json) lines.emplace_back("--json");
      EXPECT_EQ(run(lines), 1) << json;
      EXPECT_FALSE(shows_a_secret()) << everything();
      EXPECT_THAT(everything(), HasSubstr(as_json ? "\"where\":\"$.arguments." : "(at $.arguments.")) << json;
    }
}

TEST_F(Secrets, RevealShowsThemAndLeavesARecordBeforeItDoes) {
  EXPECT_EQ(run({"job", "show", job_id(1).text(), "--reveal", "--reason", "ticket 8812"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr(kArguments));
  EXPECT_EQ(run({"store", "audit", "--json"}), 0);
  EXPECT_THAT(output.out, AllOf(HasSubstr(job_id(1).text() + ", revealed"), HasSubstr("ticket 8812"),
                                HasSubstr(R"("verb":"job show")")));
  EXPECT_FALSE(shows_a_secret());
  EXPECT_EQ(run({"job", "show", job_id(2).text(), "--reveal", "--json"}), 0);
  EXPECT_THAT(output.out, AllOf(HasSubstr("no mailbox s3cr3t-recipient"),
                                HasSubstr(R"("arguments":{"recipient":"s3cr3t)")));
}

TEST_F(Secrets, WhatCannotBeRecordedIsNotRevealed) {
  EXPECT_EQ(run({"job", "show", job_id(1).text(), "--reveal", "--watch", "2s"}), 2);
  EXPECT_FALSE(shows_a_secret());
  EXPECT_EQ(run({"job", "show", job_id(1).text(), "--reveal", "--offline", "--store", path.string()}), 2);
  EXPECT_THAT(output.error, HasSubstr("--reveal leaves an audit record"));
  EXPECT_FALSE(shows_a_secret());
  environment.open_store = [](const queue::SqliteStoreOptions&) -> std::shared_ptr<queue::Store> {
    raise(ErrorCode::access_refused, "the control database may not be written");
  };
  EXPECT_EQ(run({"job", "show", job_id(1).text(), "--reveal"}), 78);
  EXPECT_FALSE(shows_a_secret());
  EXPECT_EQ(run({"job", "show", job_id(9).text(), "--reveal"}), 1)
      << "and what is not there leaves no record";
}

}  // namespace
}  // namespace tenure::cli
