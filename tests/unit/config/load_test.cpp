#include "scratch_folder.hpp"

#include <tenure/config/listen_address.hpp>
#include <tenure/config/load.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace tenure::config {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kWhole = R"([application]
name = "billing"
waiting_jobs_max = 10
waiting_bytes_max = "1MiB"
waiting_ends_max = 20
[daemon]
node = "app-1"
stop_deadline = "5s"
when_held = "exit"
ping_max = "10s"
control_socket = ""
[store]
path = "/srv/control.db"
durability = "ordered"
poll = "250ms"
payload_max = "1MiB"
[tenants]
path = "%{config_dir}/tenants/%{bucket}/%{tenant}.db"
migrations = "%{config_dir}/../migrations"
descriptors_max = 30
handle_wait = "0s"
undo_window = "1h"
[[pool]]
name = "general"
program = "/usr/bin/worker"
processes = 1
slots = 4
queues = ["critical", "default"]
reserved = [{ priority = 0, slots = 1 }, { slots = 2, priority = -10 }]
tenants = ["!acme", "!none"]
[[pool]]
name = "heavy"
program = "%{config_dir}/worker"
[http]
probe_listen = "0.0.0.0:7421"
allow_remote = true
top_tenants = 0
connections_max = 8
[log]
level = "debug"
format = "json"
file = "/var/log/tenure.log"
)";

class Load : public ScratchFolder {
 protected:
  std::string origin(const LoadedSettings& loaded, std::string_view key) const {
    for (const EffectiveValue& value : loaded.values)
      if (value.key == key)
        return value.value + " " + std::string(name_of(value.origin)) +
               (value.where.empty() ? "" : " " + value.where);
    return "absent";
  }
};

TEST_F(Load, ReadsEverySetting) {
  const LoadedSettings loaded = read(kWhole);
  ASSERT_EQ(problems(kWhole), "");
  Settings expected;
  expected.application = {
      .name = "billing", .waiting_jobs_max = 10, .waiting_bytes_max = 1024UL * 1024, .waiting_ends_max = 20};
  expected.daemon = {.node = "app-1",
                     .stop_deadline = 5s,
                     .when_held = WhenHeld::exit,
                     .ping_max = 10s,
                     .control_socket = ""};
  expected.store = {.path = "/srv/control.db",
                    .durability = sqlite::Durability::ordered,
                    .poll = 250ms,
                    .payload_max = 1024UL * 1024};
  expected.tenants = {.path = folder_.string() + "/tenants/%{bucket}/%{tenant}.db",
                      .migrations = folder_.parent_path() / "migrations",
                      .descriptors_max = 30,
                      .handle_wait = 0s,
                      .undo_window = 1h};
  expected.pools = {{.name = "general",
                     .program = "/usr/bin/worker",
                     .processes = 1,
                     .slots = 4,
                     .queues = {"critical", "default"},
                     .reserved = {{-10, 2}, {0, 1}},
                     .tenants = {"!acme", "!none"}},
                    {.name = "heavy", .program = folder_ / "worker"}};
  expected.http = {
      .probe_listen = "0.0.0.0:7421", .allow_remote = true, .top_tenants = 0, .connections_max = 8};
  expected.log = {.level = log::Level::debug, .format = LogFormat::json, .file = "/var/log/tenure.log"};
  EXPECT_EQ(loaded.settings, expected);
}

TEST_F(Load, CFG_01_AnUnknownKeyIsNamedWithTheNearestOne) {
  EXPECT_EQ(problems("[store]\npol = \"1s\"\n"),
            "2: store.pol is no setting of this release; did you mean store.poll?");
  EXPECT_EQ(problems("[daemon]\n\npoll = \"1s\"\n"),
            "3: daemon.poll is no setting of this release; did you mean store.poll?");
  EXPECT_EQ(problems("[stor]\npoll = \"1s\"\n"),
            "1: [stor] is no section of this release; did you mean [store]?");
  EXPECT_EQ(problems("[weather]\nname = \"x\"\n"), "1: [weather] is no section of this release");
  EXPECT_EQ(problems("poll = \"1s\"\n"), "1: poll is no setting of this release; did you mean store.poll?");
  EXPECT_EQ(problems("[store]\n\"po\\u001Bll\" = 1\n"),
            "2: store.po\\x1bll is no setting of this release; did you mean store.poll?");
}

TEST_F(Load, SEC_08_AnAddressThatOtherMachinesReachNeedsAnExplicitSetting) {
  const auto listening = [&](std::string_view address, std::string_view more = "") {
    return problems(fmt::format("[http]\nprobe_listen = \"{}\"\n{}", address, more));
  };
  for (const char* const local :
       {"", "unix:/run/tenure/probe.sock", "127.0.0.1:7421", "127.8.0.1:1", "[::1]:65535"})
    EXPECT_EQ(listening(local), "") << local;
  for (const char* const remote : {"0.0.0.0:7421", "[::]:7421", "192.0.2.1:80", "[::ffff:127.0.0.1]:7421"}) {
    EXPECT_THAT(listening(remote), HasSubstr("2: http.probe_listen = ")) << remote;
    EXPECT_THAT(listening(remote), HasSubstr("or say http.allow_remote = true")) << remote;
    EXPECT_EQ(listening(remote, "allow_remote = true\n"), "") << remote;
    EXPECT_THAT(listening(remote, "allow_remote = false\n"), HasSubstr("other machines")) << remote;
  }
  EXPECT_THAT(read_settings({.environment = {{"TENURE_HTTP_PROBE_LISTEN", "0.0.0.0:1"}}}).problems,
              SizeIs(1));
  EXPECT_THAT(read_settings({.environment = {{"TENURE_HTTP_PROBE_LISTEN", "0.0.0.0:1"},
                                             {"TENURE_HTTP_ALLOW_REMOTE", "true"}}})
                  .problems,
              IsEmpty());
}

TEST_F(Load, WhatIsNoAddressIsRefused) {
  for (const char* const none :
       {"unix:", "unix:run/probe.sock", "unix:/run/", "localhost:7421", "127.0.0.1", "127.0.0.1:", ":7421",
        "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:07421", "127.0.0.1:74x", "::1:7421", "[127.0.0.1]:7421",
        "[::1]", "[]:7421", "unix:/a\\u0000b", "/run/probe.sock"})
    EXPECT_THAT(problems(fmt::format("[http]\nprobe_listen = \"{}\"\n", none)),
                HasSubstr("must be empty, unix:PATH"))
        << none;
  const std::string longest = "unix:/" + std::string(kSocketPathMax - 1, 'a');
  EXPECT_EQ(problems(fmt::format("[http]\nprobe_listen = \"{}\"\n", longest)), "");
  EXPECT_THAT(problems(fmt::format("[http]\nprobe_listen = \"{}a\"\n", longest)),
              HasSubstr("at most 107 bytes"));
}

TEST_F(Load, ABooleanIsTrueOrFalseWithoutQuotes) {
  EXPECT_EQ(problems("[http]\nallow_remote = \"true\"\n"),
            "2: http.allow_remote = \"true\": must be true or false, without quotes");
  EXPECT_EQ(problems("[http]\nallow_remote = 1\n"),
            "2: http.allow_remote = 1: must be true or false, without quotes");
  EXPECT_EQ(problems("[store]\npoll = true\n"), "2: store.poll = true: must be a duration in quotes");
  EXPECT_THAT(read_settings({.environment = {{"TENURE_HTTP_ALLOW_REMOTE", "yes"}}}).problems, SizeIs(1));
}

// The front of our variables is anybody's: an orchestrator makes some from the names of its services.
TEST_F(Load, AVariableThatNamesNoSettingIsIgnoredAndTheNearestOneNamed) {
  const auto loaded = read_settings({.environment = {{"TENURE_STORE_POL", "1s"},
                                                     {"HOME", "/"},
                                                     {"TENURE_CONFIG", "x"},
                                                     {"TENURE_WORKER_SOCKET", "3"},
                                                     {"TENURE_TEST_ACCEPT", "1"}}});
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(loaded.settings, Settings{});
  ASSERT_EQ(loaded.warnings.size(), 1U);
  EXPECT_EQ(loaded.warnings.front().key, "store.poll");
  EXPECT_EQ(
      loaded.warnings.front().text(),
      "TENURE_STORE_POL: the variable names no setting and is ignored; did you mean TENURE_STORE_POLL?");
}

TEST_F(Load, VariablesOfOthersAreOneWarning) {
  SettingsSources sources{.environment = {{"TENURE_DEPS", "skip"},
                                          {"TENURE_SERVICE_HOST", "10.0.0.1"},
                                          {"TENURE_PORT_80_TCP", "tcp://10.0.0.1:80"},
                                          {"TENURE_", ""}}};
  auto loaded = read_settings(sources);
  EXPECT_THAT(loaded.problems, IsEmpty());
  ASSERT_EQ(loaded.warnings.size(), 1U);
  EXPECT_EQ(loaded.warnings.front().key, "");
  EXPECT_EQ(
      loaded.warnings.front().text(),
      "environment: no settings, and ignored: TENURE_DEPS, TENURE_SERVICE_HOST, TENURE_PORT_80_TCP, TENURE_");
  for (const char* name : {"TENURE_SERVICE_PORT", "TENURE_ZZZ"}) sources.environment.emplace_back(name, "");
  loaded = read_settings(sources);
  ASSERT_EQ(loaded.warnings.size(), 1U);
  EXPECT_THAT(loaded.warnings.front().message, HasSubstr("TENURE_SERVICE_PORT and 1 more"));
}

TEST_F(Load, ARelativeFileInAFolderThatIsGoneIsAProblem) {
  const auto before = std::filesystem::current_path();
  const auto gone = folder_ / "gone";
  std::filesystem::create_directory(gone);
  std::filesystem::current_path(gone);
  std::filesystem::remove(gone);
  const auto loaded = read_settings({.file = "tenure.toml"});
  std::filesystem::current_path(before);
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_EQ(
      loaded.problems.front().text(),
      "tenure.toml: the file is named from the working folder on, which cannot be told: No such file or "
      "directory");
}

struct BadValue {
  std::string content, problem;
};
void PrintTo(const BadValue& value, std::ostream* out) { *out << value.content; }
class BadValues : public ScratchFolder, public ::testing::WithParamInterface<BadValue> {};
TEST_P(BadValues, CFG_03_AreRefusedWithKeyValueAndLimit) {
  EXPECT_EQ(problems(GetParam().content), GetParam().problem);
}
std::string pool(std::string_view line) {
  return "[[pool]]\nname = \"a\"\nprogram = \"/p\"\n" + std::string(line) + "\n";
}
INSTANTIATE_TEST_SUITE_P(
    BadInputs, BadValues,
    ::testing::Values(
        BadValue{pool("slots = 0"), "4: pool[0].slots = 0: must be 1 to 1024"},
        BadValue{pool("slots = -1"), "4: pool[0].slots = -1: must be 1 to 1024"},
        BadValue{pool("slots = 1000000000"), "4: pool[0].slots = 1000000000: must be 1 to 1024"},
        BadValue{pool("slots = 1e9"),
                 "4: pool[0].slots = a number with a fraction or an exponent: must be a whole number without "
                 "quotes"},
        BadValue{pool("slots = \"many\""),
                 "4: pool[0].slots = \"many\": must be a whole number without quotes"},
        BadValue{pool("slots = \"4\""), "4: pool[0].slots = \"4\": must be a whole number without quotes"},
        BadValue{pool("queues = []"),
                 "4: pool[0].queues = []: must be 1 to 200 texts, each a-z 0-9 _ -, the first a-z or 0-9, 1 "
                 "to 64 bytes"},
        BadValue{pool("queues = [\"a\", \"a\"]"), "4: pool[0].queues = [\"a\", \"a\"]: names \"a\" twice"},
        BadValue{pool("queues = [\"a b\"]"),
                 "4: pool[0].queues = [\"a b\"]: \"a b\" must be a-z 0-9 _ -, the first a-z or 0-9, 1 to 64 "
                 "bytes"},
        BadValue{pool("queues = [1]"),
                 "4: pool[0].queues = a list: must be a list of texts, as in [\"default\"]"},
        BadValue{
            pool("tenants = [\"acme\", \"!bolt\"]"),
            "4: pool[0].tenants: names tenants and leaves others out: a pool takes only some, or all but "
            "some"},
        BadValue{pool("tenants = [\"Acme\"]"),
                 "4: pool[0].tenants = [\"Acme\"]: \"Acme\" must be a tenant's name, none, or one of them "
                 "behind !; a-z 0-9 _ -, the first a-z or 0-9, 1 to 63 bytes"},
        BadValue{pool("tenants = [\"!\"]"),
                 "4: pool[0].tenants = [\"!\"]: \"!\" must be a tenant's name, none, or one of them behind "
                 "!; a-z 0-9 _ -, the first a-z or 0-9, 1 to 63 bytes"},
        BadValue{pool("reserved = [{ priority = -10, slots = 16 }]"),
                 "4: pool[0].reserved: keeps 16 slots of 16, and at least one must be left for all others"},
        BadValue{pool("reserved = [{ priority = 0, slots = 8 }, { priority = 1, slots = 8 }]"),
                 "4: pool[0].reserved: keeps 16 slots of 16, and at least one must be left for all others"},
        BadValue{pool("reserved = [{ priority = 0, slots = 1 }, { priority = 0, slots = 2 }]"),
                 "4: pool[0].reserved = a list of tables: names the priority 0 twice"},
        BadValue{pool("reserved = [{ priority = 100, slots = 1 }]"),
                 "4: pool[0].reserved = a list of tables: must be a list of tables, as in [{ priority = -10, "
                 "slots = 2 }]: -100 to 99, and 1 to 65536"},
        BadValue{pool("reserved = [{ priority = -10 }]"),
                 "4: pool[0].reserved = a list of tables: must be a list of tables, as in [{ priority = -10, "
                 "slots = 2 }]: -100 to 99, and 1 to 65536"},
        BadValue{pool("reserved = [2]"),
                 "4: pool[0].reserved = a list: must be a list of tables, as in [{ priority = -10, slots = 2 "
                 "}]: -100 to 99, and 1 to 65536"},
        BadValue{pool("colour = 1"), "4: pool.colour is no setting of this release"},
        BadValue{"[[pool]]\nname = \"a\"\n", "1: pool[0].program is missing: every [[pool]] states it"},
        BadValue{"[pool]\nname = \"a\"\n", "1: pool is a list of sections: write [[pool]]"},
        BadValue{"[[store]]\npoll = \"1s\"\n", "1: store is one section: write [store]"},
        BadValue{pool("") + pool(""), "5: pool[1].name = \"a\": pool[0] has that name already"},
        BadValue{"[store]\npoll = \"5 parsecs\"\n",
                 "2: store.poll = \"5 parsecs\": is no duration: write a whole number and one of ms, s, m, "
                 "h, d, as in "
                 "\"25s\""},
        BadValue{"[store]\npoll = \"99ms\"\n", "2: store.poll = \"99ms\": must be 100ms to 1m"},
        BadValue{"[store]\npoll = \"60001ms\"\n", "2: store.poll = \"60001ms\": must be 100ms to 1m"},
        BadValue{"[store]\npoll = 1\n", "2: store.poll = 1: must be a duration in quotes"},
        BadValue{"[daemon]\njournal_size = \"1023KiB\"\n",
                 "2: daemon.journal_size = \"1023KiB\": must be 0B or 1MiB to 1GiB"},
        BadValue{"[daemon]\njournal_size = \"1025MiB\"\n",
                 "2: daemon.journal_size = \"1025MiB\": must be 0B or 1MiB to 1GiB"},
        BadValue{"[store]\npayload_max = \"1025KiB\"\n",
                 "2: store.payload_max = \"1025KiB\": must be 1KiB to 1MiB"},
        BadValue{"[store]\npath = \"control.db\"\n",
                 "2: store.path = \"control.db\": must be an absolute path, or begin with %{config_dir}, the "
                 "folder of "
                 "the configuration file"},
        BadValue{
            "[store]\npath = \"\"\n",
            "2: store.path = \"\": must be an absolute path, or begin with %{config_dir}, the folder of the "
            "configuration file"},
        BadValue{"[store]\npath = \"/a\\nb\"\n",
                 "2: store.path = \"/a\\x0ab\": holds characters that cannot be shown"},
        BadValue{
            "[store]\ndurability = \"durabel\"\n",
            "2: store.durability = \"durabel\": must be one of durable, ordered; did you mean \"durable\"?"},
        BadValue{"[tenants]\npath = \"/t.db\"\n",
                 "2: tenants.path = \"/t.db\": must hold %{tenant}, or all tenants share one file"},
        BadValue{"[tenants]\npath = \"/%{tenant}/%{home}\"\n",
                 "2: tenants.path = \"/%{tenant}/%{home}\": knows only the placeholders %{tenant} and "
                 "%{bucket}, and "
                 "%{config_dir} at its front"},
        BadValue{"[tenants]\npath = \"/t/%{tenant}/../x.db\"\n",
                 "2: tenants.path = \"/t/%{tenant}/../x.db\": must have no .. behind a placeholder"},
        BadValue{"[tenants]\npath = \"/t/%{bucket}/../%{tenant}/..\"\n",
                 "2: tenants.path = \"/t/%{bucket}/../%{tenant}/..\": must have no .. behind a placeholder"},
        BadValue{"[tenants]\nmigrations = \"/m/%{tenant}\"\n",
                 "2: tenants.migrations = \"/m/%{tenant}\": knows only the placeholder %{config_dir}, at its "
                 "front"},
        BadValue{"[store]\npath = \"/%{config_dir}/c.db\"\n",
                 "2: store.path = \"/%{config_dir}/c.db\": knows only the placeholder %{config_dir}, at its "
                 "front"},
        BadValue{"[log]\nfile = \"/var/log/%{node}.log\"\n",
                 "2: log.file = \"/var/log/%{node}.log\": knows only the placeholder %{config_dir}, at its "
                 "front"},
        BadValue{
            "[[pool]]\nname = \"a\"\nprogram = \"/%{home}/a\"\n",
            "3: pool[0].program = \"/%{home}/a\": knows only the placeholder %{config_dir}, at its front"},
        BadValue{"\"\" = 1\n", "1: \"\" is no setting of this release"},
        BadValue{"[store]\n\"\" = 1\n", "2: store.\"\" is no setting of this release"},
        BadValue{pool("\"\" = 1"), "4: pool.\"\" is no setting of this release"},
        BadValue{"[\"\"]\npath = \"/a\"\n", "1: [\"\"] is no section of this release"},
        BadValue{"[tenants]\ndescriptors_max = 2\n", "2: tenants.descriptors_max = 2: must be 3 to 65536"},
        BadValue{
            "[application]\nname = \"Billing\"\n",
            "2: application.name = \"Billing\": must be a-z 0-9 _ -, the first a-z or 0-9, 1 to 63 bytes"}));

TEST_F(Load, LimitsAreAcceptedThemselves) {
  for (const std::string size : {"0B", "1MiB", "1GiB"})
    EXPECT_EQ(problems("[daemon]\njournal_size = \"" + size + "\"\n"), "") << size;
  EXPECT_EQ(problems("[store]\npoll = \"100ms\"\npayload_max = \"1MiB\"\n[tenants]\ndescriptors_max = 3\n"),
            "");
  EXPECT_EQ(problems("[store]\npoll = \"1m\"\npayload_max = \"1KiB\"\n[tenants]\ndescriptors_max = 65536\n"),
            "");
  EXPECT_EQ(problems("[application]\nname = \"" + std::string(63, 'a') + "\"\n"), "");
  EXPECT_THAT(problems("[application]\nname = \"" + std::string(64, 'a') + "\"\n"),
              HasSubstr("1 to 63 bytes"));
  std::string pools;
  for (int i = 0; i < 64; ++i) pools += "[[pool]]\nname = \"p" + std::to_string(i) + "\"\nprogram = \"/p\"\n";
  EXPECT_EQ(problems(pools), "");
  EXPECT_THAT(problems(pools + "[[pool]]\nname = \"last\"\nprogram = \"/p\"\n"),
              HasSubstr("more than 64 pools"));
}

TEST_F(Load, SeveralProblemsAreReportedTogetherInTheOrderOfTheFile) {
  EXPECT_EQ(problems("[store]\npol = 1\npoll = 2\n[daemon]\nping_max = \"1h\"\n"),
            "2: store.pol is no setting of this release; did you mean store.poll?\n"
            "3: store.poll = 2: must be a duration in quotes\n"
            "5: daemon.ping_max = \"1h\": must be 1s to 10m");
}

TEST_F(Load, CFG_06_EachValueSaysWhereItCameFrom) {
  const auto file =
      write("[store]\npath = \"/a\"\npoll = \"2s\"\npayload_max = \"2KiB\"\n" + pool("slots = 3"));
  const LoadedSettings loaded = read_settings({.file = file,
                                               .environment = {{"TENURE_STORE_PATH", "/b"},
                                                               {"TENURE_STORE_POLL", "3s"},
                                                               {"TENURE_TENANTS_DESCRIPTORS_MAX", "99"}},
                                               .options = {{"store.path", "/c", "--store"}}});
  ASSERT_THAT(loaded.problems, IsEmpty());
  EXPECT_EQ(origin(loaded, "store.path"), "\"/c\" option --store");
  EXPECT_EQ(origin(loaded, "store.poll"), "\"3s\" environment TENURE_STORE_POLL");
  EXPECT_EQ(origin(loaded, "store.payload_max"), "\"2KiB\" file " + file.string() + ":4");
  EXPECT_EQ(origin(loaded, "store.durability"), "\"durable\" default");
  EXPECT_EQ(origin(loaded, "tenants.descriptors_max"), "99 environment TENURE_TENANTS_DESCRIPTORS_MAX");
  EXPECT_EQ(origin(loaded, "pool[0].slots"), "3 file " + file.string() + ":8");
  EXPECT_EQ(origin(loaded, "pool[0].queues"), "[\"default\"] default");
}

TEST_F(Load, ABadOverrideIsNamedByItsVariableOrOption) {
  const LoadedSettings loaded =
      read_settings({.environment = {{"TENURE_TENANTS_DESCRIPTORS_MAX", "10abc"}},
                     .options = {{"store.path", "x", "--store"}, {"store.pat", "x", "--set"}}});
  ASSERT_EQ(loaded.problems.size(), 3U);
  EXPECT_EQ(loaded.problems[0].text(),
            "TENURE_TENANTS_DESCRIPTORS_MAX: tenants.descriptors_max = \"10abc\": must be a whole number");
  EXPECT_THAT(loaded.problems[1].text(), HasSubstr("--store: store.path = \"x\": must be an absolute path"));
  EXPECT_EQ(loaded.problems[2].text(),
            "--set: store.pat is no setting of this release; did you mean store.path?");
}

TEST_F(Load, TheFoldersPlaceholderNeedsAFile) {
  const LoadedSettings loaded = read_settings({.options = {{"store.path", "%{config_dir}/c.db", "--store"}}});
  ASSERT_EQ(loaded.problems.size(), 1U);
  EXPECT_THAT(loaded.problems[0].message, HasSubstr("there is no configuration file"));
}

TEST_F(Load, WithoutAnySourceTheDefaultsHold) {
  const LoadedSettings loaded = load_settings({});
  EXPECT_EQ(loaded.settings, Settings{});
}

TEST_F(Load, AMaskIsAListOfPatternsThatMayBeEmpty) {
  EXPECT_EQ(problems("[security]\nmask = []\n"), "");
  EXPECT_EQ(read("[security]\nmask = [\"recipient\", \"*_key\"]\n").settings.security.mask,
            (std::vector<std::string>{"recipient", "*_key"}));
  EXPECT_EQ(problems("[security]\nmask = [\"" + std::string(128, 'x') + "\"]\n"), "");
  for (const std::string& bad :
       {std::string(), std::string(129, 'x'), std::string("a,b"), std::string("a\\u200Bb")})
    EXPECT_THAT(problems("[security]\nmask = [\"" + bad + "\"]\n"),
                HasSubstr("must be a name of 1 to 128 bytes"))
        << bad;
  EXPECT_THAT(problems("[security]\nmask = [\"a\", \"a\"]\n"), HasSubstr("names \"a\" twice"));
  EXPECT_TRUE(read_settings({.environment = {{"TENURE_SECURITY_MASK", ""}}}).problems.empty());
}

TEST_F(Load, LoadSettingsThrowsAllProblems) {
  const auto file = write("[store]\npol = 1\npoll = 2\n");
  try {
    (void)load_settings({.file = file});
    FAIL() << "loaded";
  } catch (const BadConfiguration& error) {
    EXPECT_THAT(error.failure().message, HasSubstr("store.pol is no setting"));
    EXPECT_THAT(error.failure().message, HasSubstr("store.poll = 2"));
  }
}

TEST(ConfigFileToRead, OptionBeforeVariableBeforeDefault) {
  const std::vector<std::pair<std::string, std::string>> environment{{"TENURE_CONFIG", "/v.toml"}};
  EXPECT_EQ(config_file_to_read("/o.toml", environment), "/o.toml");
  EXPECT_EQ(config_file_to_read("", environment), "/v.toml");
}

// Each setting differs from its default, so that none can be left out.
TEST(VariablesOf, GiveBackAllSettingsButPools) {
  Settings settings;
  settings.application = {
      .name = "other", .waiting_jobs_max = 5, .waiting_bytes_max = 2UL << 20U, .waiting_ends_max = 6};
  settings.daemon = {.node = "host-2.example",
                     .stop_deadline = 1500ms,
                     .when_held = WhenHeld::exit,
                     .ping_max = 2s,
                     .control_socket = "/srv/run/control.sock",
                     .journal_size = 2UL << 20U};
  settings.store = {.path = "/odd \"path\" \\ with = and %/control.db",
                    .durability = sqlite::Durability::ordered,
                    .poll = 3s,
                    .payload_max = 4096};
  settings.tenants = {.path = "/tenants/%{bucket}/%{tenant}/x.db",
                      .migrations = "/m",
                      .migrate_on_touch = true,
                      .descriptors_max = 7,
                      .handle_wait = 0s,
                      .undo_window = 1h};
  settings.http = {.probe_listen = "[::]:7421", .allow_remote = true, .top_tenants = 3, .connections_max = 5};
  settings.log = {.level = log::Level::debug, .format = LogFormat::json, .file = "/var/log/x"};
  settings.security = {.seal_key = "file:/keys/the new one",
                       .seal_key_previous = "credential:old",
                       .mask = {"recipient", "*_\"key\\?"}};
  settings.replay = {.folder = "/capsules", .capsule_max = 1U << 20U, .folder_max = 2U << 20U};
  settings.retention = {.succeeded = 1h, .dead = 2h, .dead_max = 3, .discarded = 4h, .cancelled = 5h};
  const auto variables = variables_of(settings);
  EXPECT_EQ(load_settings({.environment = variables}).settings, settings);
  const auto defaults = variables_of(Settings{});
  ASSERT_EQ(variables.size(), defaults.size());
  for (std::size_t i = 0; i < variables.size(); ++i)
    EXPECT_NE(variables[i].second, defaults[i].second) << variables[i].first;
  EXPECT_EQ(load_settings({.environment = defaults}).settings, Settings{});
}

TEST_F(Load, SchedulesAreReadAsTheyAreWrittenSoThatABadOneStopsNoOther) {
  const LoadedSettings loaded = read(R"([[schedule]]
name = "monthly-report"
kind = "reports.monthly"
cron = "0 3 1 * *"
time_zone = "Europe/Berlin"
arguments = '{"format":"pdf"}'
scope = "each_tenant"
spread = "30m"
catch_up = "all:24"
overlap = "queue_one"
queue = "reports"
priority = -5
attempts = 3

[[schedule]]
name = "No Name"
kind = "No Kind"
cron = "no cron"
every = "15m"
scope = "nowhere"
)");
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_THAT(loaded.settings.schedules,
              ::testing::ElementsAre(ScheduleSettings{.name = "monthly-report",
                                                      .kind = "reports.monthly",
                                                      .queue = "reports",
                                                      .priority = -5,
                                                      .attempts = 3,
                                                      .cron = "0 3 1 * *",
                                                      .time_zone = "Europe/Berlin",
                                                      .arguments = R"({"format":"pdf"})",
                                                      .scope = "each_tenant",
                                                      .spread = std::chrono::minutes{30},
                                                      .catch_up = "all:24",
                                                      .overlap = "queue_one"},
                                     ScheduleSettings{.name = "No Name",
                                                      .kind = "No Kind",
                                                      .cron = "no cron",
                                                      .every = std::chrono::minutes{15},
                                                      .scope = "nowhere"}));
}

TEST_F(Load, AScheduleHasNameAndKindAndItsNameAlone) {
  const LoadedSettings loaded = read(
      "[[schedule]]\nkind = \"a.b\"\n[[schedule]]\nname = \"b\"\nkind = \"a.b\"\ncrno = \"\"\n"
      "[[schedule]]\nname = \"b\"\nkind = \"a.b\"\n");
  std::vector<std::string> keys;
  for (const Problem& problem : loaded.problems) keys.push_back(problem.key);
  EXPECT_THAT(keys, ::testing::IsSupersetOf({"schedule[0].name", "schedule.crno", "schedule[2].name"}));
}

TEST_F(Load, LimitsAreAListOfSections) {
  const LoadedSettings loaded = read(
      "[[limit]]\nname = \"reports-per-tenant\"\nkind = \"reports.*\"\nper = \"tenant\"\nrunning = 2\n"
      "[[limit]]\nname = \"mail\"\nqueue = \"mailers\"\nrate = \"100/1m\"\n");
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_THAT(
      loaded.settings.limits,
      ::testing::ElementsAre(
          LimitSettings{.name = "reports-per-tenant", .kind = "reports.*", .per = "tenant", .running = 2},
          LimitSettings{.name = "mail", .queue = "mailers", .rate = "100/1m"}));
}

// Unlike a schedule's: what a wrong limit does not hold would be noticed too late.
TEST_F(Load, AWrongLimitIsAProblem) {
  const auto keys_of = [&](const std::string& lines) {
    std::vector<std::string> keys;
    for (const Problem& problem : read("[[limit]]\n" + lines).problems) keys.push_back(problem.key);
    return keys;
  };
  EXPECT_THAT(keys_of("running = 2\n"), ::testing::Contains("limit[0].name"));
  EXPECT_THAT(keys_of("name = \"No Name\"\nrunning = 2\n"), ::testing::Contains("limit[0].name"));
  EXPECT_THAT(keys_of("name = \"a\"\n"), ::testing::ElementsAre("limit[0]")) << "it allows anything";
  EXPECT_THAT(keys_of("name = \"a\"\nrunning = 2\nper = \"keys\"\n"), ::testing::Contains("limit[0].per"));
  EXPECT_THAT(keys_of("name = \"a\"\nrunning = 2\nper = \"tenant,key\"\n"),
              ::testing::Contains("limit[0].per"));
  EXPECT_THAT(keys_of("name = \"a\"\nrate = \"9/1m\"\nper = \"key\"\n"), ::testing::Contains("limit[0]"))
      << "of a key it says how many run";
  EXPECT_THAT(keys_of("name = \"a\"\nrunning = 2\nper = \"key\"\n"), ::testing::IsEmpty());
  EXPECT_THAT(keys_of("name = \"a\"\nrate = \"100 a minute\"\n"), ::testing::Contains("limit[0].rate"));
  EXPECT_THAT(keys_of("name = \"a\"\nrunning = -1\n"), ::testing::Contains("limit[0].running"));
  EXPECT_THAT(keys_of("name = \"a\"\nrunning = 1\nkind = \"\"\n"), ::testing::Contains("limit[0].kind"));
  EXPECT_THAT(keys_of("name = \"a\"\nrunning = 1\n[[limit]]\nname = \"a\"\nrunning = 1\n"),
              ::testing::Contains("limit[1].name"));
}

}  // namespace
}  // namespace tenure::config
