#include "bookkeeping.hpp"

#include <tenure/tenancy/tenants.hpp>

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
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

}  // namespace
}  // namespace tenure::testing
