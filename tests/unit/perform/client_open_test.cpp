#include "bookkeeping.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/sqlite/confinement.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <support/in_child.hpp>
#include <support/temporary_folder.hpp>

namespace tenure::testing {
namespace {

using ::testing::HasSubstr;

// A machine on which nothing has run yet.
class ClientOpen : public ::testing::Test {
 protected:
  void SetUp() override {
    std::ofstream(config()) << "[application]\nname = \"books\"\n[store]\npath = \"%{config_dir}/data"
                            << "/control.db\"\n[tenants]\npath = \"%{config_dir}/data/%{tenant}.db\"\n";
    std::filesystem::permissions(config(), std::filesystem::perms{0644});
  }
  void TearDown() override { ::unsetenv("TENURE_CONFIG"); }
  std::filesystem::path config() const { return folder_ / "tenure.toml"; }

  TemporaryFolder folder_;
};

TEST_F(ClientOpen, MakesTheFirstTenantWithoutAnyOtherProgram) {
  std::filesystem::create_directory(folder_ / "data");
  Client client = Client::open(config());
  EXPECT_EQ(client.tenants().create(TenantName{"acme"}).name, TenantName{"acme"});
  EXPECT_NO_THROW(with_tenant("acme", [&] { (void)client.enqueue(PayAll{}); }));
}

// Nothing of the configuration is read: it may be anybody's, or damaged.
TEST_F(ClientOpen, InAReplayNoneIsOpenedWhateverItIsGiven) {
  std::filesystem::create_directory(folder_ / "data");
  {
    const sqlite::Confinement confined(folder_.path());
    for (const std::string& file : {config().string(), std::string{"/missing"}, std::string{}}) {
      try {
        (void)Client::open(file);
        FAIL() << "opened";
      } catch (const AccessRefused& error) {
        EXPECT_THAT(error.what(), HasSubstr("belongs into JobContext::recorded"));
      }
    }
    EXPECT_TRUE(std::filesystem::is_empty(folder_ / "data"));
  }
  EXPECT_NO_THROW((void)Client::open(config()));
}

TEST_F(ClientOpen, WithoutTheDataFolderItSaysWhatToMake) {
  try {
    (void)Client::open(config());
    FAIL() << "opened";
  } catch (const DatabaseMissing& error) {
    EXPECT_THAT(error.what(), HasSubstr("there is no folder " + (folder_ / "data").string() +
                                        " for the control database; make it"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "data"));
}

TEST_F(ClientOpen, WithoutANameItReadsTheFileThatTheCommandLineReads) {
  std::filesystem::create_directory(folder_ / "data");
  ASSERT_EQ(::setenv("TENURE_CONFIG", config().c_str(), 1), 0);
  (void)Client::open();
  EXPECT_TRUE(std::filesystem::exists(folder_ / "data/control.db"));
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// In a child, since what a program has said about its log holds for the rest of its life.
int in_child_with_log(const std::filesystem::path& config, const std::filesystem::path& log_file,
                      const std::function<int()>& work, const std::string& level = "") {
  std::filesystem::create_directory(config.parent_path() / "data");
  if (exists(log_file.parent_path())) std::ofstream(log_file).flush();  // as tenured has made it
  std::ofstream(config, std::ios::app) << "[log]\nformat = \"json\"\nfile = \"" << log_file.string() << "\"\n"
                                       << level;
  return in_child(work);
}

TEST_F(ClientOpen, TheLogSettingsOfItsConfigurationGovernTheLibrarysLines) {
  const auto file = folder_ / "books.log";
  const auto write_lines = [&] {
    const Client client = Client::open(config());
    log::write(log::Level::debug, "test.quiet", "below the level");
    log::write(log::Level::info, "test.loud", "at the level");
    return 0;
  };
  EXPECT_EQ(in_child_with_log(config(), file, write_lines, "level = \"info\"\n"), 0);
  EXPECT_THAT(text_of(file), HasSubstr("\"event\":\"test.loud\""));
  EXPECT_THAT(text_of(file), ::testing::Not(HasSubstr("test.quiet")));
}

TEST_F(ClientOpen, WithoutALevelAnApplicationWritesWarningsAndErrors) {
  const auto file = folder_ / "books.log";
  const int result = in_child_with_log(config(), file, [&] {
    const Client client = Client::open(config());
    log::write(log::Level::info, "test.quiet", "of no interest to it");
    log::write(log::Level::warning, "test.loud", "of interest");
    return 0;
  });
  EXPECT_EQ(result, 0);
  EXPECT_THAT(text_of(file), HasSubstr("\"event\":\"test.loud\""));
  EXPECT_THAT(text_of(file), ::testing::Not(HasSubstr("test.quiet")));
}

TEST_F(ClientOpen, WhatTheProgramHasSaidOfItsLogHolds) {
  const auto file = folder_ / "books.log";
  const auto own = folder_ / "own.log";
  const int result = in_child_with_log(config(), file, [&] {
    log::configure({.file = own.string()});
    const Client client = Client::open(config());
    log::write(log::Level::warning, "test.loud", "to its own file");
    return 0;
  });
  EXPECT_EQ(result, 0);
  EXPECT_THAT(text_of(own), HasSubstr("test.loud"));
  EXPECT_EQ(text_of(file), "");
}

// An application may have another user than tenured, which could not open what it makes.
TEST_F(ClientOpen, ALogFileThatIsNotThereIsNotMadeByAnApplication) {
  const auto file = folder_ / "books.log";
  const int result = in_child_with_log(config(), file, [&] {
    std::filesystem::remove(file);
    const Client client = Client::open(config());
    log::write(log::Level::warning, "test.loud", "to standard error");
    return std::filesystem::exists(file) ? 1 : 0;
  });
  EXPECT_EQ(result, 0);
}

TEST_F(ClientOpen, ALogFileThatCannotBeOpenedStopsNoApplication) {
  const int result = in_child_with_log(config(), folder_ / "nowhere/books.log", [&] {
    const Client client = Client::open(config());
    return 0;
  });
  EXPECT_EQ(result, 0);
}

}  // namespace
}  // namespace tenure::testing
