#include "file_program.hpp"
#include "outbox_rows.hpp"

#include <tenure/queue/envelope.hpp>
#include <tenure/queue/seal.hpp>

#include <fstream>
#include <support/keys.hpp>

// The command line where jobs are sealed.
namespace tenure::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::keys;
using ::testing::Not;

class Seal : public FileProgram {
 protected:
  Seal() {
    add_tenant("acme");
    environment.read_input = [](std::size_t) { return std::string(); };
  }
  void configure(char current, char previous = ' ') {
    std::erase_if(environment.variables,
                  [](const auto& each) { return each.first.starts_with("TENURE_SECURITY_"); });
    for (const auto& [name, digit] : {std::pair{"TENURE_SECURITY_SEAL_KEY", current},
                                      std::pair{"TENURE_SECURITY_SEAL_KEY_PREVIOUS", previous}})
      if (digit != ' ') environment.variables.emplace_back(name, "file:" + key_file(digit));
  }
  std::string key_file(char digit) {
    const auto file = folder / (std::string("key-") + digit);
    std::ofstream(file) << testing::key_text(digit) << '\n';
    std::filesystem::permissions(file, std::filesystem::perms{0600});
    return file.string();
  }
  void in_force(char current, char previous = ' ') { queue::put_in_force(*store, keys(current, previous)); }
  // As a dispatcher leaves it, whatever waits.
  void mark(char current) {
    store->write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
      writer.set_seal_marks({keys(current).mark_of_current(), std::nullopt});
    });
  }
  void edit_envelope(int seed) {
    execute(
        "update job set envelope = cast(replace(cast(envelope as text), 'billing.close', 'billing.clone') "
        "as blob) where seq = " +
        std::to_string(job(seed).seq.value));
  }
  int enqueue(int seed) {
    return run(
        {"job", "enqueue", "billing.close", R"({"a":1})", "--tenant", "acme", "--id", job_id(seed).text()});
  }
  queue::Envelope envelope(int seed) {
    std::optional<std::string> bytes;
    const queue::JobSeq seq = job(seed).seq;
    store->read([&](queue::JobReader& reader) { bytes = reader.envelope(seq); });
    return value_or_raise(queue::read_envelope(bytes.value()));
  }
  std::string seal_finding() {
    static_cast<void>(run({"doctor", "seal"}));
    return output.out;
  }
};

TEST_F(Seal, CLI_13_AJobOfKindAndJsonIsSealedWhereAKeyIsSet) {
  configure('1');
  in_force('1');
  EXPECT_EQ(enqueue(1), 0) << output.error;
  EXPECT_TRUE(queue::check_seal(envelope(1), keys('1')));
  EXPECT_EQ(run({"job", "show", job_id(1).text()}), 0);
  EXPECT_THAT(output.out, HasSubstr("envelope 1, sealed\n"));
  EXPECT_EQ(run({"job", "show", job_id(1).text(), "--json"}), 0);
  EXPECT_THAT(output.out, HasSubstr("\"sealed\":true"));
  EXPECT_EQ(run({"job", "copy", job_id(1).text()}), 0) << output.error;
  EXPECT_EQ(run({"job", "enqueue", "billing.close", R"({"a":[1,})", "--tenant", "acme"}), 65);
  EXPECT_THAT(output.error, HasSubstr("(byte 8) (at $.a[1])"));
}

TEST_F(Seal, WhoHasNoKeyOrAnotherOneIsToldWhatToDo) {
  configure('1');
  in_force('1');
  ASSERT_EQ(enqueue(1), 0);
  configure(' ');
  for (const auto& words : {std::vector<std::string>{"job", "enqueue", "billing.close", "--tenant", "acme"},
                            std::vector<std::string>{"job", "copy", job_id(1).text()}}) {
    EXPECT_EQ(run(words), 78);
    EXPECT_THAT(output.error, HasSubstr("say in security.seal_key where its key is read from"));
  }
  configure('2');
  EXPECT_EQ(enqueue(2), 78);
  EXPECT_THAT(output.error, HasSubstr("another key than the one in force"));
  environment.variables.back().second = "credential:seal";
  EXPECT_EQ(enqueue(2), 78);
  EXPECT_THAT(output.error, AllOf(HasSubstr("LoadCredential=seal"), HasSubstr("TENURE_SECURITY_SEAL_KEY")));
  EXPECT_EQ(run({"job", "cancel", job_id(1).text()}), 0)
      << "what brings no job in needs no key: " << output.error;
}

TEST_F(Seal, AForgedJobGetsNoGoodSealByACopy) {
  add_job(1, "acme", "billing.close", R"({"a":1})");
  configure('1');
  const auto copies_that_are_sealed = [&] {
    int sealed = 0;
    store->read([&](queue::JobReader& reader) {
      for (const auto& job : reader.list_jobs({}, {}, {}).jobs)
        if (value_or_raise(queue::read_envelope(reader.envelope(job.seq).value())).seal) ++sealed;
    });
    return sealed;
  };
  EXPECT_EQ(run({"job", "copy", job_id(1).text()}), 0) << "no key is in force: " << output.error;
  EXPECT_EQ(copies_that_are_sealed(), 0);
  mark('1');
  EXPECT_EQ(run({"job", "copy", job_id(1).text()}), 1);
  EXPECT_THAT(output.error, HasSubstr("BadSeal"));
}

TEST_F(Seal, AForgedJobIsNotRetriedWhileAKeyIsInForce) {
  configure('1');
  in_force('1');
  for (const int seed : {1, 2, 3}) ASSERT_EQ(enqueue(seed), 0) << output.error;
  ASSERT_EQ(run({"job", "cancel", job_id(1).text(), job_id(2).text(), job_id(3).text()}), 0);
  edit_envelope(2);
  EXPECT_EQ(run({"job", "retry", job_id(2).text()}), 1);
  EXPECT_THAT(output.error, HasSubstr("BadSeal: WrongSeal"));
  EXPECT_EQ(job(2).state, queue::ShownState::cancelled);
  EXPECT_EQ(run({"job", "retry", "state=cancelled", "--yes"}), 1);
  EXPECT_THAT(output.error, AllOf(HasSubstr(job_id(2).text()), HasSubstr("BadSeal")));
  EXPECT_EQ(job(1).state, queue::ShownState::ready);
  EXPECT_EQ(job(2).state, queue::ShownState::cancelled);
  EXPECT_EQ(job(3).state, queue::ShownState::ready);
  configure(' ');
  EXPECT_EQ(run({"job", "retry", job_id(2).text()}), 78);
  EXPECT_THAT(output.error, HasSubstr("say in security.seal_key where its key is read from"));
  store->write(queue::Durability::durable, [](queue::StoreWriter& writer) { writer.set_seal_marks({}); });
  EXPECT_EQ(run({"job", "retry", job_id(2).text()}), 0) << "no key is in force: " << output.error;
}

TEST_F(Seal, TheDoctorKnowsWhetherTheRightKeyIsConfigured) {
  EXPECT_THAT(seal_finding(), HasSubstr("ok    seal"));
  configure('1');
  EXPECT_THAT(seal_finding(), AllOf(HasSubstr("warn  seal"), HasSubstr("not in force yet"),
                                    HasSubstr("systemctl restart tenured")));
  in_force('1');
  ASSERT_EQ(enqueue(2), 0);
  EXPECT_THAT(seal_finding(), AllOf(HasSubstr("ok    seal"), HasSubstr("is in force")));
  configure('2');
  EXPECT_THAT(seal_finding(),
              AllOf(HasSubstr("FAIL  seal"), HasSubstr("another key"), Not(HasSubstr("systemctl"))));
  configure(' ');
  EXPECT_THAT(seal_finding(), AllOf(HasSubstr("FAIL  seal"), HasSubstr("will not start")));
  configure('1');
  edit_envelope(2);
  EXPECT_THAT(seal_finding(), AllOf(HasSubstr("FAIL  seal"), HasSubstr(job_id(2).text())));
}

TEST_F(Seal, TheDoctorProposesNoStartThatWouldBeRefused) {
  add_job(1, "acme", "billing.close");
  configure('1');
  EXPECT_THAT(seal_finding(),
              AllOf(HasSubstr("FAIL  seal"), HasSubstr("would not start"),
                    HasSubstr("tenure job show " + job_id(1).text()), Not(HasSubstr("systemctl"))));
  EXPECT_EQ(run({"job", "cancel", job_id(1).text()}), 0);
  in_force('1');
  ASSERT_EQ(enqueue(2), 0);
  configure('2', '1');
  EXPECT_THAT(seal_finding(),
              AllOf(HasSubstr("FAIL  seal"), HasSubstr("nothing can be enqueued by this configuration"),
                    HasSubstr("systemctl restart tenured")));
  in_force('2', '1');
  configure('2');
  EXPECT_THAT(seal_finding(), AllOf(HasSubstr("FAIL  seal"), HasSubstr("would not start"),
                                    HasSubstr(job_id(2).text()), Not(HasSubstr("systemctl"))));
  EXPECT_EQ(run({"job", "cancel", job_id(2).text()}), 0);
  EXPECT_THAT(seal_finding(), AllOf(HasSubstr("warn  seal"), HasSubstr("when tenured starts"),
                                    HasSubstr("systemctl restart tenured")));
}

TEST_F(Seal, TheDoctorTellsAKeyThatNobodyCanReadFromOneThatIsKeptFromWhoAsks) {
  configure('1');
  const std::filesystem::path key = folder / "key-1";
  for (const bool is_in_force : {false, true}) {
    if (is_in_force) mark('1');
    std::filesystem::permissions(key, std::filesystem::perms{0644});
    EXPECT_THAT(seal_finding(),
                AllOf(HasSubstr("FAIL  seal"), HasSubstr("chmod 600"), Not(HasSubstr("systemctl"))));
    std::filesystem::permissions(key, std::filesystem::perms{0600});
    environment.variables.back().second = "file:" + (folder / "none").string();
    EXPECT_THAT(seal_finding(), AllOf(HasSubstr("FAIL  seal"), HasSubstr("cannot be opened"),
                                      HasSubstr("will not start"), Not(HasSubstr("systemctl"))));
    environment.variables.back().second = "credential:seal";
    EXPECT_THAT(seal_finding(),
                AllOf(HasSubstr("warn  seal"), HasSubstr("by who asks"), Not(HasSubstr("systemctl"))));
    configure('1');
  }
}

TEST_F(Seal, ARowOfAnOutboxIsGivenUpOnlyByWhoHasTheKey) {
  EXPECT_EQ(run({"tenant", "create", "globex"}), 0) << output.error;
  leave_row(folder.path(), "globex", job_on_its_way("globex", 1, clock.wall()));
  const auto watermark = [&] {
    queue::OutboxSeq seq;
    store->read([&](queue::JobReader& reader) {
      seq = reader.outbox_watermark({TenantName{"globex"}, Generation{1}});
    });
    return seq.value;
  };
  in_force('1');
  EXPECT_NE(run({"tenant", "outbox", "globex", "--pass-over", "1", "--yes"}), 0);
  EXPECT_THAT(output.error, HasSubstr("BadConfiguration"));
  EXPECT_EQ(watermark(), 0);
  configure('1');
  EXPECT_EQ(run({"tenant", "outbox", "globex", "--pass-over", "1", "--yes"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("passed over row 1: BadSeal"));
  EXPECT_EQ(watermark(), 1);
}

TEST_F(Seal, WhatStandsInTheOutboxOfATenantThatIsPutBackIsTakenOverOnlyByWhoHasTheKey) {
  const std::string copy = (folder / "globex-copy.db").string();
  on_pause = [] { return true; };
  EXPECT_EQ(run({"tenant", "create", "globex"}), 0) << output.error;
  EXPECT_EQ(run({"tenant", "backup", "globex", copy}), 0) << output.error;
  leave_row(folder.path(), "globex", job_on_its_way("globex", 1, clock.wall()), keys('1'));
  leave_row(folder.path(), "globex", job_on_its_way("globex", 2, clock.wall()));
  in_force('1');
  EXPECT_EQ(run({"tenant", "restore", "globex", copy, "--yes"}), 78);
  EXPECT_THAT(output.error, HasSubstr("say in security.seal_key where its key is read from"));
  EXPECT_EQ(store->registry().find(TenantName{"globex"})->state, TenantState::active);
  configure('1');
  EXPECT_EQ(run({"tenant", "restore", "globex", copy, "--yes"}), 0) << output.error;
  EXPECT_THAT(output.out, AllOf(HasSubstr("outbox   1 of them"), HasSubstr("refused  row 2: ")));
  EXPECT_EQ(run({"tenant", "reconcile", "globex", "--restamp", "--yes"}), 0) << output.error;
  EXPECT_EQ(output.out, "re-stamped 1 job\n");
}

TEST_F(Seal, WhatStandsInTheOutboxOfATenantThatIsDeletedIsEndedOnlyByWhoHasTheKey) {
  EXPECT_EQ(run({"tenant", "create", "globex"}), 0) << output.error;
  leave_row(folder.path(), "globex", job_on_its_way("globex", 1, clock.wall()), keys('1'));
  in_force('1');
  EXPECT_EQ(run({"tenant", "delete", "globex", "--confirm", "globex"}), 78);
  EXPECT_THAT(output.error, HasSubstr("say in security.seal_key where its key is read from"));
  EXPECT_EQ(store->registry().find(TenantName{"globex"})->state, TenantState::active);
  configure('1');
  EXPECT_EQ(run({"tenant", "delete", "globex", "--confirm", "globex"}), 0) << output.error;
  EXPECT_THAT(output.out, HasSubstr("1 row cancelled as jobs"));
}

}  // namespace
}  // namespace tenure::cli
