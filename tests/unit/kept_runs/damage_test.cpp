#include "../replay/capsules.hpp"
#include "kept_journals.hpp"

#include <tenure/base/random.hpp>

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <journal/replay.hpp>

// What lies on a disk, or was copied, is whole or is refused: file, place and what to do are said.
namespace tenure::testing {
namespace {

namespace fs = std::filesystem;
using daemon::journal::read_journal;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

class KeptRuns : public Capsules {
 protected:
  KeptRuns() {
    write("create table note (id integer primary key, text)");
    for (int i = 0; i < 40; ++i)
      write("insert into note values (" + std::to_string(i) + ", 'note " + std::to_string(i) + "')");
    capsule_ = capture();
    std::ifstream in(capsule_, std::ios::binary);
    capsule_bytes_ = {std::istreambuf_iterator<char>(in), {}};
    tenant_ = tenant_in_capsule();
  }

  static void put(const fs::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }
  std::vector<std::string> tenant_in_capsule() const {
    return ask_plainly(capsule_, "select id || text from note");
  }
  // Nothing where it reads as it was written.
  std::optional<Failure> refusal_of_capsule(const std::string& bytes) const {
    put(capsule_, bytes);
    try {
      EXPECT_EQ(replay::read_capsule(capsule_).run, capsule().run);
      EXPECT_EQ(tenant_in_capsule(), tenant_);
      return std::nullopt;
    } catch (const Error& error) {
      return error.failure();
    }
  }
  std::optional<Failure> refusal_of_journal(const std::string& bytes) const {
    put(journal_, bytes);
    try {
      static_cast<void>(daemon::journal::replay(read_journal(journal_), "1.2.3"));
      return std::nullopt;
    } catch (const Error& error) {
      return error.failure();
    }
  }
  // Of a file that is damaged wherever: which, what is wrong, what to do.
  void expect_reason(const Failure& why, const fs::path& file) const {
    EXPECT_EQ(why.where, file.string());
    const bool is_capsule = file == capsule_;
    EXPECT_EQ(why.code, is_capsule ? ErrorCode::database_damaged : ErrorCode::bad_payload) << why.message;
    if (why.message.starts_with(is_capsule ? "the file is no capsule: " : "it is no journal: ")) return;
    EXPECT_THAT(why.message, HasSubstr("; copy the file again")) << why.message;
    EXPECT_THAT(why.message, AnyOf(HasSubstr("cut"), HasSubstr("damaged"), HasSubstr("missing"),
                                   HasSubstr("cannot be read"), HasSubstr("no capsule")))
        << why.message;
  }

  fs::path capsule_, journal_ = folder_ / "kept.journal";
  std::string capsule_bytes_;
  std::vector<std::string> tenant_;
};

std::string flipped(std::string bytes, std::size_t at, Random& random) {
  bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1U + random.below(255)));
  return bytes;
}

bool is_newer(const Failure& why) {
  return why.code == ErrorCode::schema_mismatch ||
         why.message.find("a newer one wrote it") != std::string::npos;
}

TEST_F(KeptRuns, RPL_05_CutFlippedAndNewerCapsulesAndJournalsAreRefusedWithTheReason) {
  constexpr std::uint64_t kSeed = 11;
  Random random(kSeed);
  SCOPED_TRACE("seed " + std::to_string(kSeed));

  const std::string journal = daemon::journal::short_journal();
  ASSERT_FALSE(refusal_of_journal(journal));
  for (std::size_t at = 0; at < journal.size(); ++at) {
    SCOPED_TRACE("journal, byte " + std::to_string(at));
    const auto cut = refusal_of_journal(journal.substr(0, at));
    ASSERT_TRUE(cut);
    expect_reason(*cut, journal_);
    const auto other = refusal_of_journal(flipped(journal, at, random));
    ASSERT_TRUE(other);
    if (!is_newer(*other)) expect_reason(*other, journal_);
  }

  ASSERT_FALSE(refusal_of_capsule(capsule_bytes_));
  constexpr int kSamples = 300;
  int refused = 0;
  for (int sample = 0; sample < kSamples; ++sample) {
    auto at = static_cast<std::size_t>(random.below(capsule_bytes_.size()));
    SCOPED_TRACE("capsule, byte " + std::to_string(at));
    const auto cut = refusal_of_capsule(capsule_bytes_.substr(0, at));
    ASSERT_TRUE(cut);
    expect_reason(*cut, capsule_);
    while (sample % 4 != 0 && capsule_bytes_[at] == 0) at = (at + 1) % capsule_bytes_.size();
    // In the empty part of a page it changes nothing that anybody reads.
    const auto other = refusal_of_capsule(flipped(capsule_bytes_, at, random));
    if (!other) continue;
    ++refused;
    if (!is_newer(*other)) expect_reason(*other, capsule_);
  }
  EXPECT_GT(refused, kSamples / 3) << "else nothing of what was flipped is ever read";

  std::string newer = journal;
  newer[daemon::journal::kMagic.size()] = static_cast<char>(daemon::journal::kFormatVersion + 1);
  const auto newer_journal = refusal_of_journal(newer);
  ASSERT_TRUE(newer_journal);
  EXPECT_EQ(newer_journal->where, journal_.string());
  EXPECT_THAT(newer_journal->message, AllOf(HasSubstr("of format 2, and this program reads format 1"),
                                            HasSubstr("replay it with that one")));
  put(capsule_, capsule_bytes_);
  ask_plainly(capsule_,
              "update tenure_capsule set version = 2; alter table tenure_capsule add column more text");
  try {
    static_cast<void>(replay::read_capsule(capsule_));
    ADD_FAILURE() << "a newer capsule is read";
  } catch (const SchemaMismatch& error) {
    EXPECT_EQ(error.failure().where, capsule_.string());
    EXPECT_THAT(error.failure().message, AllOf(HasSubstr("of version 2, this program replays version 1"),
                                               HasSubstr("use a program of the release that wrote it")));
  }
}

}  // namespace
}  // namespace tenure::testing
