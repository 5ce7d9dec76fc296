#!/usr/bin/env python3
"""Each check sees a whole tree as clean and each kind of violation in it: a check that cannot fail checks nothing."""

import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

import check_habits
import check_includes
import check_pages
import check_tests

ARCHITECTURE = """# Architecture

| folder | what lives there | may include |
| --- | --- | --- |
| `base/` | the ground | nothing of ours |
| `queue/` | jobs | base |
| `tests/` | tests | all |
| `bench/` | benchmarks | public headers only |
"""

WHOLE = {
    "ARCHITECTURE.md": ARCHITECTURE,
    "base/include/tenure/base/clock.hpp": "#pragma once\n",
    "base/src/clock.cpp": "#include <tenure/base/clock.hpp>\nauto now() { return std::chrono::steady_clock::now(); }\n",
    "queue/include/tenure/queue/store.hpp": "#pragma once\n#include <tenure/base/clock.hpp>\n",
    "queue/src/rows.hpp": "#pragma once\n",
    "queue/src/sqlite/store.cpp": '#include "rows.hpp"\n#include <tenure/queue/store.hpp>\n#include <vector>\n',
    "tests/unit/queue/store_test.cpp": "#include <tenure/queue/store.hpp>\nTEST(Claim, CLM_04_LoneJobIsNotStarved) {}\n",
    "tests/unit/queue/CMakeLists.txt": "tenure_test(queue_test SOURCES store_test.cpp)\n",
    "bench/bench_store.cpp": "#include <tenure/queue/store.hpp>\n",
    "tests/house/exceptions.txt": "# none\n",
}


class Tree:
    """A temporary tree: the whole one, with some files changed, added, or (None) taken away."""

    def __init__(self, changes):
        self.files = {**WHOLE, **changes}

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        root = Path(self.folder.name)
        for name, text in self.files.items():
            if text is not None:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text, encoding="utf-8")
        return root

    def __exit__(self, *_):
        self.folder.cleanup()


class CheckCase(unittest.TestCase):
    def expect_clean(self, check, changes=None):
        with Tree(changes or {}) as root:
            self.assertEqual(check(root), [])

    def expect_found(self, check, changes, *parts):
        with Tree(changes) as root:
            found = check(root)
        self.assertEqual(len(found), 1, found)
        for part in parts:
            self.assertIn(part, found[0])


class Includes(CheckCase):
    def test_the_whole_tree_is_clean(self):
        self.expect_clean(check_includes.check_includes)

    def test_an_edge_that_the_table_lacks(self):
        self.expect_found(
            check_includes.check_includes,
            {"base/src/clock.cpp": "\n#include <tenure/queue/store.hpp>\n"},
            "base/src/clock.cpp:2", "base may not include queue",
        )

    def test_a_build_folder_of_any_name_is_not_ours(self):
        self.expect_clean(check_includes.check_includes, {"out/CMakeCache.txt": "", "out/moc.cpp": "\n"})

    def test_what_a_running_program_left_in_the_tree_is_not_read(self):
        with Tree({}) as root, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as left:
            left.bind(str(root / "base/src/control.db-wake"))
            for rule in check_habits.RULES:
                check_habits.check_rule(rule, root)

    def test_what_git_ignores_is_not_read(self):
        with Tree({".gitignore": "/left.log\n", "left.log": "/" "home/joe\n", "kept.log": "/" "home/joe\n"}) as root:
            subprocess.run(["git", "init", "-q", str(root)], check=True)
            [rule] = [rule for rule in check_habits.RULES if rule.name == "machine_path"]
            self.assertEqual([line.split(":")[0] for line in check_habits.check_rule(rule, root)], ["kept.log"])

    def test_an_edge_in_a_comment_is_none(self):
        self.expect_clean(check_includes.check_includes, {"base/src/clock.cpp": "// #include <tenure/queue/store.hpp>\n"})

    def test_an_exception_covers_its_edge(self):
        table = "\n| file | includes besides | because |\n| --- | --- | --- |\n"
        row = "| `base/src/clock.cpp` | `tenure/queue/store.hpp` | for now |\n"
        self.expect_clean(
            check_includes.check_includes,
            {"ARCHITECTURE.md": ARCHITECTURE + table + row, "base/src/clock.cpp": "#include <tenure/queue/store.hpp>\n"},
        )
        self.expect_found(check_includes.check_includes, {"ARCHITECTURE.md": ARCHITECTURE + table + row}, "is gone from the tree")

    def test_a_relative_path_out_of_the_folder(self):
        self.expect_found(
            check_includes.check_includes,
            {"tests/unit/queue/store_test.cpp": '#include "../../../queue/src/rows.hpp"\n'}, "relative path",
        )

    def test_a_public_header_in_quotes(self):
        self.expect_found(check_includes.check_includes, {"queue/src/sqlite/store.cpp": '#include "tenure/base/clock.hpp"\n'}, "<tenure")

    def test_a_header_that_is_not_there(self):
        self.expect_found(check_includes.check_includes, {"queue/src/sqlite/store.cpp": "#include <tenure/base/gone.hpp>\n"}, "no header")

    def test_a_folder_without_a_row_and_a_row_without_a_folder(self):
        self.expect_found(check_includes.check_includes, {"cli/main.cpp": "\n"}, "cli/ has no row")
        self.expect_found(check_includes.check_includes, {"bench/bench_store.cpp": None}, "row for bench/")

    def test_a_table_with_a_cycle_or_an_unknown_folder_or_none(self):
        cycle = ARCHITECTURE.replace("| the ground | nothing of ours |", "| the ground | queue |")
        self.expect_found(check_includes.check_includes, {"ARCHITECTURE.md": cycle}, "cycle", "base -> queue -> base")
        unknown = ARCHITECTURE.replace("| jobs | base |", "| jobs | base, moon |")
        self.expect_found(check_includes.check_includes, {"ARCHITECTURE.md": unknown}, "moon")
        self.expect_found(check_includes.check_includes, {"ARCHITECTURE.md": "# nothing\n"}, "no table")

    def test_headers_that_include_each_other(self):
        self.expect_found(
            check_includes.check_includes,
            {"queue/include/tenure/queue/store.hpp": "#include <tenure/queue/types.hpp>\n",
             "queue/include/tenure/queue/types.hpp": "#include <tenure/queue/store.hpp>\n"},
            "include each other",
        )

    def test_a_benchmark_that_reads_a_private_header(self):
        self.expect_found(
            check_includes.check_includes, {"bench/bench_store.cpp": '#include "../queue/src/rows.hpp"\n'}, "relative path"
        )


class Names(CheckCase):
    def expect_name(self, text, *parts):
        self.expect_found(check_tests.check_names, {"tests/unit/queue/claim_test.cpp": text}, *parts)

    def test_whole_names(self):
        self.expect_clean(check_tests.check_names)
        text = "TEST_F(Claim, CLM_01_CLM_02_GoesOn) {}\nTEST(Claim, CLM_03_BadInputs3To5And9_AreRefused) {}\n// TEST(Claim, some_comment)\n"
        self.expect_clean(check_tests.check_names, {"tests/unit/queue/claim_test.cpp": text})

    def test_bad_ids(self):
        for name in ("CLM_4_IsNotStarved", "CLM04_IsNotStarved", "LoneJob_CLM_04", "CLM_04", "CLM_004_IsNotStarved"):
            with self.subTest(name):
                self.expect_name(f"TEST(Claim, {name}) {{}}\n", "claim_test.cpp:1", name)

    def test_names_that_are_no_claim(self):
        for name in ("works_well", "Works_well", "works"):
            with self.subTest(name):
                self.expect_name(f"TEST(Claim, {name}) {{}}\n", "a name is a claim")

    def test_a_name_that_stands_twice(self):
        self.expect_name("TEST(Claim, CLM_04_LoneJobIsNotStarved) {}\n", "stands already in")


class Built(CheckCase):
    def test_a_source_that_is_in_no_target(self):
        self.expect_clean(check_tests.check_built)
        case = "TEST(Claim, CLM_04_LoneJobIsNotStarved) {}\n"
        for name in ("claim_test.cpp", "restore_test.cpp"):
            with self.subTest(name):
                self.expect_found(check_tests.check_built, {f"tests/unit/queue/{name}": case}, name, "never run")


class Habits(CheckCase):
    def test_the_whole_tree_is_clean(self):
        for name, check in check_habits.CHECKS.items():
            with self.subTest(name):
                self.expect_clean(check)

    def test_each_rule_sees_its_violation(self):
        source, test = "queue/src/sqlite/store.cpp", "tests/unit/queue/store_test.cpp"
        violations = {
            "cereal_archives": (source, "#include <cereal/archives/json.hpp>\n"),
            "sleep": (test, "std::this_thread::sleep_for(1s);\n"),
            "clock": (source, "auto t = std::chrono::system_clock::now();\n"),
            "sqlite": (source, "sqlite3_exec(database);\n"),
            "json": (source, "simdjson::dom::parser parser;\n"),
            "sodium": (source, "sodium_memzero(key, size);\n"),
            "random": (source, "std::random_device device;\n"),
            "coroutine": (source, "co_await timer();\n"),
            "machine_path": ("README.md", "see /" + "work/notes\n"),
            "size": (source, "\n" * 801),
            "guard": ("queue/src/rows.hpp", "int rows;\n"),
        }
        self.assertEqual(set(violations), set(check_habits.CHECKS))
        for rule, (file, text) in violations.items():
            with self.subTest(rule):
                self.expect_found(check_habits.CHECKS[rule], {file: text}, file)

    def test_800_lines_are_not_too_many(self):
        self.expect_clean(check_habits.check_size, {"queue/src/sqlite/store.cpp": "\n" * 800})

    def test_what_is_not_code_is_not_judged(self):
        text = '// sqlite3_exec\nauto text = R"sql(sqlite3_exec)sql"; auto other = "sqlite3_exec"; char sign = \'"\';\n'
        self.expect_clean(check_habits.CHECKS["sqlite"], {"queue/src/sqlite/store.cpp": text})
        self.expect_found(check_habits.CHECKS["sqlite"], {"queue/src/sqlite/store.cpp": text + "sqlite3_step(s);"}, ":3")

    def test_other_ways_to_sleep_and_to_read_a_clock(self):
        for text in ("usleep(5);", "sleep(1);", "std::this_thread::sleep_until(t);"):
            with self.subTest(text):
                self.expect_found(check_habits.CHECKS["sleep"], {"tests/unit/a_test.cpp": text}, "a_test.cpp:1")
        self.expect_found(check_habits.CHECKS["sleep"], {"tests/end_to_end/run.sh": "sleep 1\n"}, "run.sh:1")
        self.expect_clean(check_habits.CHECKS["clock"], {"cli/src/a.cpp": "std::chrono::system_clock::to_time_t(time);\n"})
        for text in ("time(nullptr);", "using Real = std::chrono::steady_clock;", "clock_gettime(CLOCK_REALTIME, &t);"):
            with self.subTest(text):
                self.expect_found(check_habits.CHECKS["clock"], {"jobs/src/a.cpp": text}, "a.cpp:1")

    def test_an_exception_excuses_its_file_and_must_excuse_something(self):
        check = check_habits.CHECKS["sqlite"]
        excused = {"tests/house/exceptions.txt": "sqlite bench/ the yardstick is plain C\n", "bench/yardstick.c": "sqlite3_open();\n"}
        self.expect_clean(check, excused)
        self.expect_found(check, {**excused, "bench/yardstick.c": "\n"}, "delete the line")

    def test_an_exception_names_a_rule(self):
        self.expect_found(check_habits.check_exceptions, {"tests/house/exceptions.txt": "moon bench/ why not\n"}, "no rule moon")


class Pages(CheckCase):
    def test_the_whole_tree_is_clean(self):
        pages = {"docs/decisions/0001-a-thing.md": "# 1. A thing\n", "README.md": "[a](docs/decisions/0001-a-thing.md#why) [b](https://x.y)\n"}
        self.expect_clean(check_pages.check_links, pages)
        self.expect_clean(check_pages.check_installed, pages)
        self.expect_clean(check_pages.check_decisions, pages)

    def test_a_page_that_is_named_and_not_there(self):
        self.expect_found(check_pages.check_links, {"base/src/a.cpp": "\n// docs/formats/moon.md\n"}, "a.cpp:2", "moon.md")
        for check in (check_pages.check_links, check_pages.check_installed):
            self.expect_found(check, {"README.md": "```\n[&](int)\n```\n[moon](moon.md)\n"}, "README.md:4", "leads nowhere")

    def test_a_quote_that_is_not_in_its_file(self):
        page = "<!-- queue/src/rows.hpp -->\n```cpp\n%s\n```\n"
        self.expect_clean(check_pages.check_quotes, {"README.md": page % "#pragma once"})
        self.expect_found(check_pages.check_quotes, {"README.md": page % "#pragma twice"}, "README.md:1", "rows.hpp")
        self.expect_found(check_pages.check_quotes, {"README.md": page % "", "queue/src/rows.hpp": None,
                                                     "queue/src/sqlite/store.cpp": "\n"}, "rows.hpp")

    def test_a_thread_that_the_architecture_lacks(self):
        named = {"queue/src/sqlite/store.cpp": '  ::pthread_setname_np(::pthread_self(), "sweeper");\n'}
        self.expect_found(check_pages.check_threads, named, "store.cpp:1", "sweeper")
        self.expect_clean(check_pages.check_threads, {**named, "ARCHITECTURE.md": ARCHITECTURE + "`sweeper`\n"})

    def test_an_event_of_the_log_that_page_or_sources_lack(self):
        for writes in (
            'log::write(level, is_free ? "job.released" : "job.released", "no (bracket", {.kind = kind});',
            'actions.emplace_back(Note{Note::Level::error,\n "job.released", text("a, b"), {}, {}});',
            'return {.level = level, .event = "job.released", .message = {}};',
            'line = written(to, Level::warning, "job.released", "text", {});',
        ):
            source = {"queue/src/sqlite/store.cpp": f'\n{writes} other("moon.landed");\n'}
            row = "| event | level |\n| --- | --- |\n| `job.released` | warning |\n"
            with self.subTest(writes):
                self.expect_clean(check_pages.check_events, {**source, "docs/manual/log-events.md": row})
                self.expect_found(check_pages.check_events, source, "store.cpp:", "lacks job.released")
        self.expect_found(check_pages.check_events, {"docs/manual/log-events.md": row}, "log-events.md:3", "no source writes job.released")

    def test_a_metric_that_page_or_table_lack(self):
        table = {check_pages.METRICS_TABLE: 'constexpr MetricInfo kJobs{"tenure_jobs", gauge, "Jobs."};\n'}
        row = "| metric | labels |\n| --- | --- |\n| `tenure_jobs` | queue |\n"
        self.expect_clean(check_pages.check_metrics, {**table, check_pages.METRICS_PAGE: row})
        self.expect_found(check_pages.check_metrics, table, "metric_table.hpp:1", "lacks tenure_jobs")
        self.expect_found(check_pages.check_metrics, {check_pages.METRICS_PAGE: row}, "metrics.md:3", "no source has tenure_jobs")

    def test_an_error_that_type_table_or_page_lack(self):
        whole = {
            check_pages.ERRORS_HEADER: "#pragma once\n  time_limit = 62,\nusing TimeLimit = TypedError<ErrorCode::time_limit>;\n",
            check_pages.ERRORS_TABLE: 'row<ErrorCode::time_limit>("TimeLimit", kTransient),\n',
            check_pages.ERRORS_PAGE: "| error | number | again |\n| --- | --- | --- |\n| `TimeLimit` | 62 | transient |\n",
        }
        check = check_pages.check_errors
        self.expect_clean(check, whole)
        for file, old, new, said in (
            (check_pages.ERRORS_HEADER, "using TimeLimit", "using TooSlow", "the type of time_limit is TimeLimit, and not TooSlow"),
            (check_pages.ERRORS_HEADER, "  time_limit = 62,\n", "", "no ErrorCode::time_limit"),
            (check_pages.ERRORS_TABLE, 'row<ErrorCode::time_limit>("TimeLimit", kTransient),\n', "", "lacks time_limit"),
            (check_pages.ERRORS_PAGE, "| `TimeLimit` | 62 | transient |\n", "", "lacks TimeLimit"),
            (check_pages.ERRORS_PAGE, "62", "63", "errors.md:3: TimeLimit is 62, transient"),
            (check_pages.ERRORS_PAGE, "transient", "permanent", "errors.md:3: TimeLimit is 62, transient"),
            (check_pages.ERRORS_PAGE, "| `TimeLimit`", "| `Moon` | 1 | transient |\n| `TimeLimit`", "there is no Moon"),
        ):
            with self.subTest(said):
                changed = {**whole, file: whole[file].replace(old, new, 1)}
                if said == "lacks time_limit":
                    changed[check_pages.ERRORS_PAGE] = ""
                self.expect_found(check, changed, said)

    def test_alerts(self):
        page = {check_pages.METRICS_PAGE: "| `tenure_ready` | | is ready | 0 for long |\n| `tenure_jobs` | | jobs | |\n"}
        rule = "- alert: TenureIsNotReady\n  expr: tenure_ready == 0\n"
        self.expect_clean(check_pages.check_alerts, {**page, check_pages.ALERTS: rule})
        self.expect_found(check_pages.check_alerts, page, "metrics.md:1", "has no rule for tenure_ready")
        self.expect_found(check_pages.check_alerts, {**page, check_pages.ALERTS: rule + "  expr: tenure_readi_bucket"}, "alerts.yml", "no metric is called tenure_readi")

    def test_a_behaviour_that_is_not_where_the_page_says(self):
        page = (
            "| behaviour | file | function |\n| --- | --- | --- |\n| a look | `base/src/clock.cpp` | `now` |\n"
            "\n## `queue/src`\n\n| file | what it holds |\n| --- | --- |\n| `rows` | rows |\n"
        )
        check = check_pages.check_behaviours
        self.expect_clean(check, {"docs/architecture/inside.md": page})
        for old, new, said in (
            ("clock.cpp", "moon.cpp", "inside.md:3: a look: there is no base/src/moon.cpp"),
            ("`now`", "`now`, `then`", "has no then"),
            ("`now`", "now", "no function is named"),
            ("`rows`", "`rows`, `moons`", "queue/src has no moons"),
        ):
            with self.subTest(said):
                self.expect_found(check, {"docs/architecture/inside.md": page.replace(old, new)}, said)
        self.expect_found(check, {}, "no table of behaviours")

    def test_promises_that_nothing_holds(self):
        page = "docs/manual/promises.md"
        whole = "## Kept\n\n**Limits.** None.\n\n**How.** By `queue/src/rows.hpp`.\n\n**Held by** `Claim.CLM_04_LoneJobIsNotStarved`.\n"
        self.expect_clean(check_pages.check_promises, {page: whole})
        for without, said in (("**Limits.**", "lacks **Limits.**"), ("04_Lone", "there is no test Claim.CLM_"), ("rows", "there is no queue/src/.hpp"),
                              ("`Claim.CLM_04_LoneJobIsNotStarved`", "no test is named"), (whole, "no promise")):
            self.expect_found(check_pages.check_promises, {page: whole.replace(without, "")}, said)

    def test_decisions_out_of_number(self):
        self.expect_found(check_pages.check_decisions, {"docs/decisions/0002-b.md": "# 2. B\n"}, "no 0001")
        self.expect_found(check_pages.check_decisions, {"docs/decisions/0001-a.md": "# 2. A\n"}, "title")
        both = {"docs/decisions/0001-a.md": "# 1. A\n", "docs/decisions/0001-b.md": "# 1. B\n"}
        self.expect_found(check_pages.check_decisions, both, "already")
        self.expect_found(check_pages.check_decisions, {"docs/decisions/notes.md": "\n"}, "NNNN")


if __name__ == "__main__":
    unittest.main()
