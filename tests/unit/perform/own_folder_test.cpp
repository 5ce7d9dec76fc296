#include "generations.hpp"

#include <tenure/tenancy/tenant_folder.hpp>

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

// The folder in which a tenant's handlers keep files.
namespace tenure::testing {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

class OwnFolder : public Generations {
 protected:
  [[nodiscard]] fs::path root() const { return folder_.path() / "tenants"; }
  [[nodiscard]] fs::path own(std::string_view generation) const { return root() / ".folders" / generation; }
  [[nodiscard]] fs::path buried(std::string_view generation) const {
    return root() / ".graveyard" / (std::string{generation} + ".folder");
  }
  // What a handler of acme's gets.
  fs::path folder_of(std::string_view name) {
    fs::path path;
    EXPECT_EQ(handled("acme", [&](JobContext& context) { path = context.folder(name); }), std::nullopt);
    return path;
  }
  std::optional<ErrorCode> refusal_of(std::string_view name) {
    const auto failure =
        handled("acme", [&](JobContext& context) { static_cast<void>(context.folder(name)); });
    return failure ? std::optional{failure->code} : std::nullopt;
  }
  static void write_into(const fs::path& folder, const std::string& name, const std::string& text) {
    std::ofstream(folder / name) << text;
  }
  static std::string text_in(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST_F(OwnFolder, CTX_16_LiesUnderTheTenantsRootRefusesWhatLeadsOutOfItAndGoesWithTheTenant) {
  const TenantName acme{"acme"};
  const fs::path exports = folder_of("exports");
  EXPECT_EQ(exports, own("acme.1") / "exports");
  EXPECT_TRUE(fs::is_directory(exports));
  EXPECT_EQ(folder_of("exports"), exports) << "once more it is the same";
  EXPECT_EQ(folder_of("exports/2026/march"), exports / "2026/march");
  write_into(exports, "list.csv", "milk");

  for (const char* const name : {"..", "../bolt.1", "exports/..", "exports/../../bolt.1", ".", "exports/.",
                                 "/etc", "/", "", "exports//a", "exports/", "a\nb", "\xff"})
    EXPECT_EQ(refusal_of(name), ErrorCode::bad_options) << name;

  // A link is refused wherever it lies and whenever it came there, also where it leads to a folder of the tenant's own.
  const fs::path outside = folder_.path() / "outside";
  fs::create_directory(outside);
  fs::create_directory_symlink(outside, own("acme.1") / "last");
  EXPECT_EQ(refusal_of("last"), ErrorCode::access_refused);
  EXPECT_EQ(refusal_of("last/below"), ErrorCode::access_refused);
  const fs::path middle = folder_of("middle/inner").parent_path();
  fs::rename(middle, folder_.path() / "away");
  fs::create_directory_symlink(folder_.path() / "away", middle);
  EXPECT_EQ(refusal_of("middle/inner"), ErrorCode::access_refused);
  EXPECT_EQ(refusal_of("middle/other"), ErrorCode::access_refused);
  fs::remove(middle);
  fs::create_directory_symlink(exports, middle);
  EXPECT_EQ(refusal_of("middle"), ErrorCode::access_refused);
  fs::rename(own("acme.1"), folder_.path() / "own");
  fs::create_directory_symlink(folder_.path() / "own", own("acme.1"));
  EXPECT_EQ(refusal_of("exports"), ErrorCode::access_refused);
  fs::remove(own("acme.1"));
  fs::rename(folder_.path() / "own", own("acme.1"));
  EXPECT_TRUE(fs::is_empty(outside));
  EXPECT_FALSE(fs::exists(folder_.path() / "away/other"));

  // It goes with the tenant, comes back with it, and a tenant that begins anew under the name meets nothing of it.
  const Burial burial = remove(acme);
  EXPECT_FALSE(fs::exists(own("acme.1")));
  EXPECT_EQ(text_in(buried("acme.1") / "exports/list.csv"), "milk");
  ASSERT_EQ(burial.files.size(), 2U);
  EXPECT_EQ(burial.files[1].name, "acme.1.folder");
  EXPECT_EQ(burial.files[1].size_bytes, 4);
  EXPECT_EQ(take_back(acme), Generation{2});
  EXPECT_FALSE(fs::exists(buried("acme.1")));
  EXPECT_EQ(text_in(folder_of("exports") / "list.csv"), "milk");
  EXPECT_EQ(begin_anew(acme), Generation{3});
  EXPECT_TRUE(fs::is_empty(folder_of("exports")));
  // Erased, nothing of it is left, and what a link in it leads to stays.
  write_into(outside, "kept", "kept");
  const std::int64_t bytes = graveyard().erase(acme, Generation{2});
  EXPECT_GE(bytes, 4);
  EXPECT_FALSE(fs::exists(buried("acme.2")));
  EXPECT_EQ(text_in(outside / "kept"), "kept");
}

// Behind the stamp's commit nobody makes it again, whoever still runs.
TEST_F(OwnFolder, ARunThatOutlivesItsGenerationMakesNone) {
  const TenantName acme{"acme"};
  const auto failure = handled("acme", [&](JobContext& context) {
    static_cast<void>(context.folder("exports"));
    static_cast<void>(graveyard().bury(acme, Generation{1}));
    queue::set_tenant_state_for_test(*store_, acme, TenantState::deleted);
    without_tenant([&] { tenants_.create(acme); });
    static_cast<void>(context.folder("exports"));
  });
  ASSERT_TRUE(failure);
  EXPECT_FALSE(fs::exists(own("acme.1")));
  EXPECT_FALSE(fs::exists(own("acme.2")));
  EXPECT_TRUE(fs::exists(buried("acme.1") / "exports"));
}

TEST_F(OwnFolder, IsMadeInsideOfSnapshotsAndTransactionsToo) {
  EXPECT_EQ(handled("acme",
                    [](JobContext& context) {
                      context.read([&](TenantReader&) { return context.folder("in_snapshot"); });
                      context.write(
                          [&](TenantTransaction&) { static_cast<void>(context.folder("in_transaction")); });
                      context.once("step",
                                   [&](JobTransaction&) { static_cast<void>(context.folder("in_step")); });
                    }),
            std::nullopt);
  for (const char* const name : {"in_snapshot", "in_transaction", "in_step"})
    EXPECT_TRUE(fs::is_directory(own("acme.1") / name)) << name;
}

TEST_F(OwnFolder, IsForThoseWhoMayUseTheTenantsRoot) {
  fs::permissions(root(), fs::perms{0750});
  EXPECT_EQ(fs::status(folder_of("exports")).permissions(), fs::perms{0750});
}

TEST_F(OwnFolder, NamesHaveLimitsAndEachRefusalSaysWhich) {
  const std::string part(TenantFolder::kPartMax, 'x');
  EXPECT_EQ(refusal_of(part), std::nullopt);
  EXPECT_EQ(refusal_of(part + 'x'), ErrorCode::bad_options);
  const std::string longest = part + '/' + part;
  EXPECT_EQ(longest.size(), TenantFolder::kNameMax - 1);
  EXPECT_EQ(refusal_of(longest), std::nullopt);
  EXPECT_EQ(refusal_of(longest + "/a"), ErrorCode::bad_options);
  std::string deep = "1";
  for (std::size_t at = 1; at < TenantFolder::kPartsMax; ++at) deep += "/1";
  EXPECT_EQ(refusal_of(deep), std::nullopt);
  EXPECT_EQ(refusal_of(deep + "/1"), ErrorCode::bad_options);
  const auto failure =
      handled("acme", [](JobContext& context) { static_cast<void>(context.folder("../a")); });
  EXPECT_THAT(failure->error, HasSubstr(R"(the folder "../a" has a part "." or "..")"));
}

TEST_F(OwnFolder, IsOfTheJobsTenantAlone) {
  EXPECT_EQ(handled("acme",
                    [](JobContext& context) {
                      with_tenant("bolt", AllowSwap{}, [&] { static_cast<void>(context.folder("exports")); });
                    })
                ->code,
            ErrorCode::wrong_tenant);
}

}  // namespace
}  // namespace tenure::testing
