#include "scratch_folder.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace tenure::config {
namespace {

struct BadValue {
  std::string content, problem;
};
void PrintTo(const BadValue& value, std::ostream* out) { *out << value.content; }
class BadValues : public ScratchFolder, public ::testing::WithParamInterface<BadValue> {};
TEST_P(BadValues, CFG_03_AreRefusedWithKeyValueAndLimit) {
  EXPECT_EQ(problems(GetParam().content), GetParam().problem);
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

}  // namespace
}  // namespace tenure::config
