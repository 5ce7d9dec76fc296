#!/usr/bin/env python3
"""Habits that a pattern can check. What has a good reason to differ stands in exceptions.txt, with the reason."""

import re
from dataclasses import dataclass
from typing import Callable

import tree

SIZE_MAX = 800  # lines


@dataclass(frozen=True)
class Rule:
    name: str
    pattern: re.Pattern
    says: str
    applies: Callable[[str], bool]  # to a path
    whole_text: bool = False  # else only code: no comments, no strings


def outside_base(path):
    return _is_cpp(path) and not path.startswith(("base/", "tests/unit/base"))


def _is_cpp(path):
    return path.endswith((".cpp", ".hpp", ".c", ".h"))


def _in_tests(path):
    return path.startswith("tests/") and not path.startswith("tests/house/")


def _rule(name, pattern, says, applies, whole_text=False):
    return Rule(name, re.compile(pattern, re.MULTILINE), says, applies, whole_text)


RULES = [
    _rule("cereal_archives", r'^[ \t]*#[ \t]*include[ \t]*[<"]cereal/archives/',
          "cereal's own archives trust their input; ours are in jobs/", _is_cpp, whole_text=True),
    _rule("sleep", r"\b(?:sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(|^[ \t]*sleep[ \t]+[\d$.]",
          "a test waits for a signal, never for time", lambda path: _in_tests(path) and path.endswith((".cpp", ".hpp", ".py", ".sh"))),
    _rule("clock", r"\bstd::chrono::(?:system|steady|high_resolution|utc)_clock(?:::now\b|[ \t]*;)|\b(?:clock_gettime|gettimeofday)\s*\("
          r"|(?<![\w.>])time\s*\(\s*(?:NULL|nullptr|0)\s*\)",
          "only base/ reads a real clock: take a Clock, or now", outside_base),
    _rule("sqlite", r"\bsqlite3_\w+|#[ \t]*include[ \t]*<sqlite3", "only base/ calls SQLite: use base/sqlite", outside_base),
    _rule("json", r"\bsimdjson\b", "only base/ names simdjson: use base/json.hpp", outside_base),
    _rule("sodium", r"\bsodium_\w+|\bcrypto_\w+\s*\(|#[ \t]*include[ \t]*<sodium", "only base/ has keys in its hands: use base/secret_key.hpp", outside_base),
    _rule("random", r"\bstd::random_device\b|(?<![\w.>:])s?rand\s*\(|\bgetrandom\s*\(",
          "only base/ makes randomness: take a Random with a seed", outside_base),
    _rule("coroutine", r"\bco_(?:await|yield|return)\b", "GCC 12 miscompiles coroutines that Asio meets", _is_cpp),
    _rule("machine_path", r"(?<![\w.])/(?:work|root|home)/\w", "a path of one machine", lambda path: True, whole_text=True),
]


def check_rule(rule, root):
    found = []
    exceptions = tree.exceptions_of(root)
    for file in tree.files(root):
        path = file.as_posix()
        if not rule.applies(path):
            continue
        text = tree.text_of(root / file)
        if not rule.whole_text and _is_cpp(path):
            text = tree.code_of(text)
        hits = list(rule.pattern.finditer(text))
        if hits and not exceptions.allow(rule.name, path):
            found += [f"{path}:{tree.line_at(text, hit.start())}: {hit.group().strip()}: {rule.says}" for hit in hits]
    return found + list(exceptions.stale(rule.name))


def check_size(root):
    found = []
    exceptions = tree.exceptions_of(root)
    for file in tree.files(root, tree.CODE | {".py", ".sh"}):
        lines = tree.text_of(root / file).count("\n")
        if lines > SIZE_MAX and not exceptions.allow("size", file.as_posix()):
            found.append(f"{file.as_posix()}: {lines} lines, more than {SIZE_MAX}: give the folder another file")
    return found + list(exceptions.stale("size"))


def check_guard(root):
    return [
        f"{file.as_posix()}: a header begins with #pragma once"
        for file in tree.files(root, {".hpp", ".h"})
        if not re.search(r"^#pragma once$", tree.text_of(root / file), re.MULTILINE)
    ]


CHECKS = {rule.name: (lambda root, rule=rule: check_rule(rule, root)) for rule in RULES}
CHECKS |= {"size": check_size, "guard": check_guard}


def check_exceptions(root):
    """An exception from a rule that does not exist."""
    return [f"exceptions.txt: there is no rule {rule}" for rule, _ in tree.exceptions_of(root).rows if rule not in CHECKS]


if __name__ == "__main__":
    tree.main(CHECKS | {"exceptions": check_exceptions})
