#include "capsules.hpp"

#include <tenure/base/random.hpp>

#include <fstream>
#include <iterator>

namespace tenure::testing {
namespace {

class CapsuleDamage : public Capsules {
 protected:
  CapsuleDamage() {
    write("create table note (id integer primary key, text, weight real, raw blob)");
    write("create index note_text on note (text)");
    write("create table word (word text primary key) without rowid");
    for (int i = 0; i < 40; ++i) {
      write("insert into note values (" + std::to_string(i) + ", 'note " + std::to_string(i) + "', " +
            std::to_string(i) + ".5, x'0102')");
      write("insert into word values ('word " + std::to_string(i) + "')");
    }
    file_ = capture();
    std::ifstream in(file_, std::ios::binary);
    bytes_ = {std::istreambuf_iterator<char>(in), {}};
    whole_ = contents_of_tenant(file_);
  }

  void put(const std::string& bytes) const {
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << bytes;
  }

  // What a replay would find, read by whatever way SQLite chooses.
  static std::vector<std::string> contents_of_tenant(const std::filesystem::path& file) {
    std::vector<std::string> all = ask_plainly(
        file, "select id || text || weight || hex(raw) from note union all select word from word");
    for (const char* sql : {"select text from note order by text", "select sql from sqlite_schema",
                            "select tenant || generation || application from tenure_stamp"})
      for (std::string& row : ask_plainly(file, sql)) all.push_back(std::move(row));
    return all;
  }

  std::optional<ErrorCode> refusal() const {
    try {
      const replay::Capsule read = replay::read_capsule(file_);
      EXPECT_EQ(read.run, capsule().run);
      EXPECT_EQ(read.head.job, capsule().head.job);
      EXPECT_EQ(contents_of_tenant(file_), whole_);
      return std::nullopt;
    } catch (const Error& error) {
      EXPECT_FALSE(error.failure().message.empty());
      return error.code();
    }
  }

  std::filesystem::path file_;
  std::string bytes_;
  std::vector<std::string> whole_;
};

TEST_F(CapsuleDamage, ACapsuleWithAFlippedByteIsRefusedOrReadsAsItWasWritten) {
  constexpr int kFlips = 400;
  constexpr std::uint64_t kSeed = 5;
  Random random(kSeed);
  int refused = 0;
  for (int i = 0; i < kFlips; ++i) {
    auto at = static_cast<std::size_t>(random.below(bytes_.size()));
    // Of four flips three are where something stands.
    while (i % 4 != 0 && bytes_[at] == 0) at = (at + 1) % bytes_.size();
    std::string flipped = bytes_;
    flipped[at] = static_cast<char>(flipped[at] ^ static_cast<char>(1U + random.below(255)));
    put(flipped);
    SCOPED_TRACE("byte " + std::to_string(at));
    const std::optional<ErrorCode> code = refusal();
    if (!code) continue;
    ++refused;
    EXPECT_TRUE(*code == ErrorCode::database_damaged || *code == ErrorCode::schema_mismatch)
        << name_of(*code);
  }
  EXPECT_GT(refused, 100) << "else nothing of what was flipped is ever read";
}

TEST_F(CapsuleDamage, EachFlippedByteOfAValueIsFound) {
  for (const std::string text : {"note 17", "word 9", "books.pay", "page 3", "declined", "books.note"}) {
    const std::size_t at = bytes_.find(text);
    ASSERT_NE(at, std::string::npos) << text;
    for (std::size_t i = 0; i < text.size(); ++i) {
      std::string flipped = bytes_;
      flipped[at + i] ^= 1;
      put(flipped);
      EXPECT_EQ(refusal(), ErrorCode::database_damaged) << text << " " << i;
    }
  }
}

TEST_F(CapsuleDamage, ADamagedCapsuleIsNotRestored) {
  std::string flipped = bytes_;
  flipped[bytes_.find("note 17")] ^= 1;
  put(flipped);
  const TenantFiles scratch{(folder_.path() / "scratch/%{tenant}.db").string()};
  try {
    replay::restore_tenant(file_, scratch);
    ADD_FAILURE();
  } catch (const DatabaseDamaged& error) {
    EXPECT_EQ(error.failure().where, file_.string());
  }
  EXPECT_FALSE(std::filesystem::exists(scratch.path_for(acme_)));
  EXPECT_FALSE(std::filesystem::exists(scratch.building_path_for(acme_)));
}

TEST_F(CapsuleDamage, ACutCapsuleIsRefused) {
  constexpr std::size_t kStep = 501;
  for (std::size_t size = 0; size < bytes_.size(); size += kStep) {
    put(bytes_.substr(0, size));
    EXPECT_EQ(refusal(), ErrorCode::database_damaged) << size;
  }
  put(bytes_.substr(0, bytes_.size() - 1));
  EXPECT_EQ(refusal(), ErrorCode::database_damaged);
}

TEST_F(CapsuleDamage, AnAlteredCapsuleIsRefused) {
  for (const char* sql :
       {"update note set text = 'other' where id = 3", "delete from word where word = 'word 1'",
        "update tenure_capsule set seed = 1", "delete from tenure_capsule_reading where number = 2",
        "insert into note values (99, 'more', 1, null)", "create view v as select 1",
        "pragma user_version = 4", "update note set weight = 3 where id = 3",
        "delete from tenure_capsule_digest", "drop table tenure_capsule_job"}) {
    put(bytes_);
    ask_plainly(file_, sql);
    EXPECT_EQ(refusal(), ErrorCode::database_damaged) << sql;
  }
}

TEST_F(CapsuleDamage, ACapsuleWhoseTableWasReplacedByAViewIsRefused) {
  ask_plainly(file_, "drop table tenure_capsule; create view tenure_capsule as select 1 as version");
  EXPECT_EQ(refusal(), ErrorCode::database_damaged);
}

TEST_F(CapsuleDamage, ACapsuleOfANewerVersionIsRefusedNamingBoth) {
  ask_plainly(file_,
              "update tenure_capsule set version = 2; alter table tenure_capsule add column more text");
  for (const auto read :
       {+[](const std::filesystem::path& file) { static_cast<void>(replay::read_capsule(file)); },
        +[](const std::filesystem::path& file) { static_cast<void>(replay::read_head(file)); }}) {
    try {
      read(file_);
      ADD_FAILURE();
    } catch (const SchemaMismatch& error) {
      EXPECT_NE(error.failure().message.find("version 2"), std::string::npos);
      EXPECT_NE(error.failure().message.find("version 1"), std::string::npos);
    }
  }
}

TEST_F(CapsuleDamage, WhatIsNoCapsuleIsRefused) {
  for (const std::string& bytes : {std::string{"a text"}, std::string(5000, 'x'), std::string{}}) {
    put(bytes);
    for (const auto read :
         {+[](const std::filesystem::path& file) { static_cast<void>(replay::read_capsule(file)); },
          +[](const std::filesystem::path& file) { static_cast<void>(replay::read_summary(file)); }}) {
      try {
        read(file_);
        ADD_FAILURE();
      } catch (const DatabaseDamaged& error) {
        EXPECT_TRUE(error.failure().message.starts_with("the file is no capsule: ")) << error.what();
        EXPECT_EQ(error.failure().where, file_.string());
      }
    }
  }
  put(bytes_);
  EXPECT_EQ(refusal(), std::nullopt);
  const auto tenant = handles_.files().path_for(acme_);
  handles_.close_idle();
  EXPECT_THROW(static_cast<void>(replay::read_capsule(tenant)), DatabaseDamaged);
}

// The digest is no seal: who made the file may have made that too. The name goes into a settings file.
TEST_F(CapsuleDamage, ACapsuleWhoseApplicationHasNoNameIsRefused) {
  for (const std::string& name :
       {std::string{"x\"\n[store]\npath = \"/srv/control.db"}, std::string{}, std::string(65, 'a')}) {
    replay::Capsule what = capsule();
    what.head.application = name;
    file_ = capture(what);
    EXPECT_THROW(static_cast<void>(replay::read_capsule(file_)), DatabaseDamaged) << name;
    EXPECT_THROW(static_cast<void>(replay::read_head(file_)), DatabaseDamaged) << name;
    std::filesystem::remove(file_);
  }
}

// What a file's schema computes may need any memory: here it fails where somebody asks for it.
TEST_F(CapsuleDamage, AComputedColumnIsNotReadAndAStoredOneIsVerified) {
  write("create table odd (id integer primary key, n integer, kept as (n / 2) stored)");
  write("insert into odd values (1, -9223372036854775808)");
  handles_.close_idle();
  ask_plainly(handles_.files().path_for(acme_),
              "pragma writable_schema = on; update sqlite_schema set sql = "
              "replace(sql, 'stored)', 'stored, never as (abs(n)))') where name = 'odd'");
  ASSERT_ANY_THROW(ask_plainly(handles_.files().path_for(acme_), "select never from odd"));
  file_ = capture();
  EXPECT_NO_THROW(static_cast<void>(replay::read_capsule(file_)));
  ask_plainly(file_, "update odd set n = 4");  // and with it what is stored
  EXPECT_EQ(refusal(), ErrorCode::database_damaged);
}

TEST_F(CapsuleDamage, NoValueIsMadeThatIsMuchLongerThanTheFile) {
  write("create table made (n integer)");
  write("create index made_of on made (length(hex(zeroblob(n))))");
  file_ = capture();
  ask_plainly(file_, "insert into made values (5000000)");
  try {
    static_cast<void>(replay::read_capsule(file_));
    ADD_FAILURE();
  } catch (const DatabaseDamaged& error) {
    EXPECT_NE(error.failure().message.find("too big"), std::string::npos) << error.failure().message;
  }
}

TEST_F(CapsuleDamage, ACapsuleWithAJournalBesideItIsRefused) {
  std::ofstream(file_.string() + "-journal") << "rows that would come back";
  EXPECT_EQ(refusal(), ErrorCode::database_damaged);
}

}  // namespace
}  // namespace tenure::testing
