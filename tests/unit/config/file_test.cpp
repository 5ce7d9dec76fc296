#include "scratch_folder.hpp"

#include <gmock/gmock.h>

#include <sys/stat.h>
#include <unistd.h>

namespace tenure::config {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigFile : public ScratchFolder {};

std::string only_problem(const std::filesystem::path& file) {
  const LoadedSettings loaded = read_settings({.file = file});
  return loaded.problems.size() == 1 ? loaded.problems.front().text()
                                     : std::to_string(loaded.problems.size()) + " problems";
}

TEST_F(ConfigFile, BadInput16_AnEmptyFileIsTheDefaults) {
  const LoadedSettings loaded = read("");
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.settings, Settings{});
}

TEST_F(ConfigFile, CFG_07_AByteOrderMarkAndCarriageReturnsLoad) {
  const LoadedSettings loaded = read("\xEF\xBB\xBF[store]\r\npoll = \"2s\"\r\n");
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.settings.store.poll, std::chrono::seconds(2));
}

TEST_F(ConfigFile, CFG_07_ANulByteIsRefusedWithItsLine) {
  EXPECT_EQ(problems(std::string_view("[store]\npoll = \"2\0s\"\n", 21)), "2: the file holds a NUL byte");
}

TEST_F(ConfigFile, CFG_07_ThatEverybodyMayWriteIsRefused) {
  const auto file = write("");
  std::filesystem::permissions(file, std::filesystem::perms{0666});
  EXPECT_THAT(only_problem(file), HasSubstr("may be written by everybody"));
}

TEST_F(ConfigFile, CFG_07_TheLimitOfItsSizeIsExact) {
  const std::string comment = "#" + std::string(kConfigFileMax - 2, 'x') + "\n";
  EXPECT_THAT(read(comment.substr(1)).problems.size(), 1U);  // no comment, no TOML
  EXPECT_THAT(read(comment).problems, IsEmpty());
  EXPECT_THAT(only_problem(write(comment + "\n")), HasSubstr("is larger than 1MiB"));
}

TEST_F(ConfigFile, CFG_07_ASparseFileOf200MiBIsRefusedUnread) {
  const auto file = write("");
  std::filesystem::resize_file(file, 200UL << 20U);
  EXPECT_THAT(only_problem(file), HasSubstr("is larger than 1MiB"));
}

TEST_F(ConfigFile, CFG_07_ALinkToAnotherOwnersFileIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "not run here: only root can give a file away";
  const auto file = write("", "real.toml");
  std::filesystem::create_symlink(file, folder_ / "tenure.toml");
  EXPECT_THAT(read_settings({.file = folder_ / "tenure.toml"}).problems, IsEmpty());
  ASSERT_EQ(::chown(file.c_str(), 12345, 12345), 0);
  EXPECT_THAT(only_problem(folder_ / "tenure.toml"), HasSubstr("is a symbolic link"));
  EXPECT_THAT(read_settings({.file = file}).warnings.front().message, HasSubstr("another user (uid 12345)"));
}

TEST_F(ConfigFile, CFG_07_AnotherUsersLinkIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "not run here: only root can give a file away";
  const auto link = folder_ / "tenure.toml";
  std::filesystem::create_symlink(write("", "real.toml"), link);
  ASSERT_EQ(::lchown(link.c_str(), 12345, 12345), 0);
  EXPECT_THAT(only_problem(link), HasSubstr("belongs to another user (uid 12345)"));
}

TEST_F(ConfigFile, MissingFoldersPipesAndLinkLoopsAreOneProblemEach) {
  EXPECT_THAT(only_problem(folder_ / "none.toml"), HasSubstr("cannot be opened: No such file"));
  EXPECT_THAT(only_problem(folder_), HasSubstr("is not a regular file"));
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(only_problem(folder_ / "pipe"), HasSubstr("is not a regular file"));
  std::filesystem::create_symlink(folder_ / "loop", folder_ / "loop");
  EXPECT_THAT(only_problem(folder_ / "loop"), HasSubstr("cannot be opened"));
}

TEST_F(ConfigFile, BadInput18_AKeyTwiceIsRefusedWithItsLine) {
  EXPECT_THAT(problems("[store]\npoll = \"2s\"\npoll = \"3s\"\n"), HasSubstr("3: the file is no TOML"));
}

TEST_F(ConfigFile, WhatIsNoTomlIsOneLineWithoutControlCharacters) {
  const std::string text = problems("[store\x1b[2J\n");
  EXPECT_THAT(text, HasSubstr("1: the file is no TOML"));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST_F(ConfigFile, TheLimitOfAKeysPartsIsExact) {
  const std::string refusal = "2: a key has more than 8 parts with dots between";
  EXPECT_THAT(problems("[store]\na.b.c.d.e.f.g = 1"), HasSubstr("store.a is no setting"));
  EXPECT_THAT(problems("[store]\na.b.c.d.e.f.g.h = 1"), HasSubstr("store.a is no setting"));
  EXPECT_EQ(problems("[store]\na.b.c.d.e.f.g.h.i = 1"), refusal);
  EXPECT_EQ(problems("\n[a.b.c.d.e.f.g.h.i]"), refusal);
  EXPECT_EQ(problems("\nx = {\"a\" . 'b'.c.d.e.f.g.h.i = 1}"), refusal);
  EXPECT_EQ(problems("x = \"\"\"\n\"\"\"\"\"\na.b.c.d.e.f.g.h.i = 1"), "3" + refusal.substr(1));
}

TEST_F(ConfigFile, DotsThatAreNotOfAKeyAreNotCounted) {
  EXPECT_THAT(read("# a.b.c.d.e.f.g.h.i.j\n[store]\npath = \"/a.b.c.d/\\\"/e.f.g.h.i.j\"\n").problems,
              IsEmpty());
  EXPECT_THAT(read("[store]\npath = '/a.b.c.d.e.f.g.h.i.j'").problems, IsEmpty());
  EXPECT_THAT(read("[store]\npath = \"\"\"\n/a.b.c.d.e.f.g.h.i.j\"\"\"").problems, IsEmpty());
}

TEST_F(ConfigFile, AKeyOfAHundredThousandPartsIsRefusedWithoutACrash) {
  std::string key = "a";
  for (int i = 0; i < 100'000; ++i) key += ".a";
  EXPECT_EQ(problems(key + " = 1"), "1: a key has more than 8 parts with dots between");
}

TEST_F(ConfigFile, DeepNestingIsRefusedWithoutACrash) {
  EXPECT_THAT(problems("a = " + std::string(100'000, '[') + "\n"), HasSubstr("the file is no TOML"));
}

}  // namespace
}  // namespace tenure::config
