#include "scratch_folder.hpp"

#include <tenure/config/check.hpp>
#include <tenure/config/load.hpp>
#include <tenure/config/seal_keys.hpp>

#include <gmock/gmock.h>

#include <sys/stat.h>
#include <unistd.h>

// Where keys of seals may lie, and that nothing of one gets into a message.
namespace tenure::config {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kKey(64, 'a');

class SealKeys : public ScratchFolder {
 protected:
  std::filesystem::path put(const std::string& name, const std::string& text, mode_t mode = 0600) {
    write(text, name);
    EXPECT_EQ(::chmod((folder_ / name).c_str(), mode), 0);
    return folder_ / name;
  }
  // Why not; empty: it was read.
  std::string refusal(const std::string& value, const std::filesystem::path& credentials = {}) {
    try {
      const KeyRing keys = read_seal_keys({.seal_key = value}, credentials);
      EXPECT_EQ(keys.has_current(), !value.empty());
      return "";
    } catch (const BadConfiguration& error) {
      EXPECT_THAT(error.what(), Not(HasSubstr("aaaaaaaa")));
      return error.what();
    }
  }
  std::string refusal_of_file(const std::filesystem::path& file) { return refusal("file:" + file.string()); }
};

TEST_F(SealKeys, AreReadFromAFileOfTheirOwnerAlone) {
  EXPECT_EQ(refusal(""), "");
  EXPECT_EQ(refusal_of_file(put("key", kKey + "\n")), "");
  EXPECT_EQ(refusal_of_file(put("read-only", kKey, 0400)), "");
  for (const mode_t mode : {0640U, 0604U, 0620U, 0666U})
    EXPECT_THAT(refusal_of_file(put("open", kKey, mode)),
                AllOf(HasSubstr("is open to others than its owner: chmod 600"), HasSubstr("/open")))
        << mode;
}

TEST_F(SealKeys, WhatIsNoKeyFileIsNamedWithTheReason) {
  EXPECT_THAT(refusal_of_file(folder_ / "none"), HasSubstr("cannot be opened: No such file"));
  EXPECT_THAT(refusal_of_file(folder_), HasSubstr("is no regular file"));
  std::filesystem::create_symlink(put("real", kKey), folder_ / "link");
  EXPECT_THAT(refusal_of_file(folder_ / "link"), HasSubstr("is a symbolic link"));
  EXPECT_THAT(refusal_of_file(put("short", kKey.substr(2))), HasSubstr("64 to 128 hexadecimal digits"));
  EXPECT_THAT(refusal_of_file(put("long", kKey + kKey + "\r\naaaaaaaa")),
              HasSubstr("is longer than 130 bytes"));
  EXPECT_THAT(refusal_of_file(put("two", kKey + "\n" + kKey.substr(1))), HasSubstr("is no key"));
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  EXPECT_THAT(refusal_of_file(folder_ / "fifo"), HasSubstr("is no regular file"));
}

TEST_F(SealKeys, ACredentialIsWhereTheServiceManagerPutsIt) {
  put("seal", kKey, 0440);  // the group's bits may be those of an access list
  EXPECT_EQ(refusal("credential:seal", folder_), "");
  EXPECT_THAT(refusal("credential:other", folder_), HasSubstr("/other cannot be opened"));
  EXPECT_THAT(refusal("credential:seal"), HasSubstr("LoadCredential=seal:/PATH"));
  put("everybodys", kKey, 0444);
  EXPECT_THAT(refusal("credential:everybodys", folder_), HasSubstr("is open to everybody"));
}

TEST_F(SealKeys, TheOneBeforeIsReadBesides) {
  const KeyRing keys =
      read_seal_keys({.seal_key = "file:" + put("new", kKey).string(),
                      .seal_key_previous = "file:" + put("old", std::string(64, 'b')).string()},
                     {});
  EXPECT_TRUE(keys.mark_of_current().has_value());
  EXPECT_TRUE(keys.mark_of_previous().has_value());
  EXPECT_NE(keys.mark_of_current(), keys.mark_of_previous());
}

TEST_F(SealKeys, AKeyThatSomebodyWroteIntoTheConfigurationIsRefusedAndNotQuoted) {
  const std::string file = (folder_ / "tenure.toml").string();
  for (const std::string& value : {kKey, "file:" + kKey, "credential:" + kKey + "/x", "hex:" + kKey}) {
    write("[security]\nseal_key = \"" + value + "\"\n", "tenure.toml");
    const LoadedSettings loaded = read_settings({.file = file});
    ASSERT_EQ(loaded.problems.size(), 1U) << value;
    EXPECT_THAT(loaded.problems.front().text(),
                AllOf(HasSubstr("security.seal_key: must be empty, credential:NAME or file:/PATH"),
                      Not(HasSubstr("aaaaaaaa"))));
    const LoadedSettings by_variable = read_settings({.environment = {{"TENURE_SECURITY_SEAL_KEY", value}}});
    ASSERT_EQ(by_variable.problems.size(), 1U);
    EXPECT_THAT(by_variable.problems.front().text(), Not(HasSubstr("aaaaaaaa")));
  }
  for (const std::string& broken : {kKey, "\"" + kKey, "[\"" + kKey + "\"]", "'" + kKey + "' x"}) {
    write("[security]\nseal_key = " + broken + "\n", "tenure.toml");
    for (const Problem& problem : read_settings({.file = file}).problems)
      EXPECT_THAT(problem.text(), Not(HasSubstr("aaaaaaaa"))) << broken;
  }
}

TEST_F(SealKeys, TheMachineIsCheckedForThemAndCredentialsAreTheServicesToSee) {
  Settings settings;
  settings.pools = {{.name = "general", .program = "/bin/true"}};
  settings.store.path = folder_ / "control.db";
  settings.tenants.path = (folder_ / "tenants/%{tenant}.db").string();
  settings.security.seal_key = "file:" + put("key", kKey).string();
  EXPECT_TRUE(check_machine(settings, {}).problems.empty());
  put("key", kKey, 0644);
  ASSERT_EQ(check_machine(settings, {}).problems.size(), 1U);
  EXPECT_EQ(check_machine(settings, {}).problems.front().key, "security.seal_key");
  settings.security.seal_key = "credential:seal";
  EXPECT_TRUE(check_machine(settings, {}).problems.empty());
  EXPECT_THAT(check_machine(settings, {}).warnings.front().message, HasSubstr("CREDENTIALS_DIRECTORY"));
  EXPECT_EQ(check_machine(settings, {.credentials = folder_}).problems.size(), 1U);
}

}  // namespace
}  // namespace tenure::config
