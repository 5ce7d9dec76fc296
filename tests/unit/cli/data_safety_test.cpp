#include "program.hpp"
#include "session.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>

namespace tenure::cli {
namespace {

// Escape sequences, a bidi override, a zero-width space, a C1 control, a tag character and a line break.
constexpr std::string_view kHostile =
    "\x1b[2J\xE2\x80\xAE evil \xE2\x80\x8B\xC2\x9B\xF3\xA0\x81\x81\nstate=ready";

// Whether a terminal could be moved by that; line breaks are the program's own.
bool is_plain(std::string_view text) {
  std::string without_breaks(text);
  std::erase(without_breaks, '\n');
  return escaped(without_breaks, without_breaks.size()) == without_breaks;
}

class DataSafety : public Program, public ::testing::WithParamInterface<std::vector<std::string>> {
 protected:
  DataSafety() {
    add_tenant("acme");
    std::string arguments;
    json::Writer(arguments).begin_object().key(kHostile).string(kHostile).end_object();
    add_job(1, "acme", "billing.close", arguments);
    fail_once(1, kHostile);
    add_job(2, "acme", "billing.close", arguments);
    die(2, kHostile);
  }
};

TEST_P(DataSafety, CLI_10_NoCommandPrintsRawEscapeOrBidiBytes) {
  for (const bool terminal : {false, true}) {
    if (terminal) on_terminal(200);
    auto arguments = GetParam();
    arguments.insert(arguments.end(), {"--color", "never"});
    (void)run(arguments);
    EXPECT_FALSE(output.out.empty());
    EXPECT_TRUE(is_plain(output.out)) << escaped(output.out, 10'000);
    EXPECT_TRUE(is_plain(output.error)) << escaped(output.error, 10'000);
  }
}
INSTANTIATE_TEST_SUITE_P(
    Commands, DataSafety,
    ::testing::Values(std::vector<std::string>{"job", "list"},
                      std::vector<std::string>{"job", "list", "--json"},
                      std::vector<std::string>{"job", "list", "--columns", "error"},
                      std::vector<std::string>{"job", "show", "019cadff-0000-7000-8000-000000000001"},
                      std::vector<std::string>{"job", "show", "019cadff-0000-7000-8000-000000000002"},
                      std::vector<std::string>{"job", "show", "019cadff-0000-7000-8000-000000000002",
                                               "--json"},
                      std::vector<std::string>{"job", "retry", "state=dead", "--dry-run"}));

TEST_F(DataSafety, CLI_10_ArgumentsThatAreRefusedAreShownEscaped) {
  for (const auto& arguments :
       std::vector<std::vector<std::string>>{{std::string(kHostile)},
                                             {"job", std::string(kHostile)},
                                             {"job", "list", std::string(kHostile)},
                                             {"job", "list", "state=" + std::string(kHostile)},
                                             {"job", "list", "--" + std::string(kHostile)},
                                             {"job", "list", "--sort", std::string(kHostile)},
                                             {"job", "show", std::string(kHostile)},
                                             {"tenant", "create", std::string(kHostile)},
                                             {"config", "explain", std::string(kHostile)}}) {
    EXPECT_EQ(run(arguments), 2);
    EXPECT_TRUE(is_plain(output.error)) << escaped(output.error, 10'000);
    auto with_json = arguments;
    with_json.emplace_back("--json");
    EXPECT_EQ(run(with_json), 2);
    EXPECT_TRUE(is_plain(output.error)) << escaped(output.error, 10'000);
  }
}

}  // namespace
}  // namespace tenure::cli
