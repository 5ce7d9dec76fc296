#!/usr/bin/env python3
"""Whether the names of tests are claims, each once, the ids in them have the form of an id, and each test is built."""

import re
from pathlib import Path

import tree

CASE = re.compile(r"\b(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P|RC_GTEST_PROP|RC_GTEST_FIXTURE_PROP)\s*\(\s*(\w+)\s*,\s*(\w+)")
# CLM_04_LoneJobIsNotStarved, BadInput7_IsRefused; several ids may stand before the claim, none behind it.
NAME = re.compile(r"(?:[A-Z]{2,5}_\d\d_|BadInputs?\d+(?:(?:And|To)\d+)*_)*[A-Z][A-Za-z0-9]*")
LOOKS_LIKE_ID = re.compile(r"(?<![A-Za-z])[A-Z]{2,5}_?\d+(?![A-Za-z0-9])")


def cases(root):
    """(file, line, suite, name) of each case in the tree."""
    for file in tree.files(root, {".cpp", ".hpp"}):
        code = tree.code_of(tree.text_of(root / file))
        for match in CASE.finditer(code):
            yield file.as_posix(), tree.line_at(code, match.start()), match.group(1), match.group(2)


def check_names(root):
    found = []
    seen = {}
    for file, line, suite, name in cases(root):
        if (suite, name) in seen:
            found.append(f"{file}:{line}: {suite}.{name} stands already in {seen[suite, name]}")
        seen.setdefault((suite, name), f"{file}:{line}")
        if NAME.fullmatch(name) is None:
            hint = "an id is ABC_01_, before the claim" if LOOKS_LIKE_ID.search(name) else "a name is a claim: WordsLikeThis"
            found.append(f"{file}:{line}: {suite}.{name}: {hint}")
    return found


def check_built(root):
    """A source of tests that no CMakeLists.txt at or above it names is never compiled, and so never red."""
    found = []
    for file in sorted({Path(file) for file, _, _, _ in cases(root) if file.endswith(".cpp")}):
        lists = [root / folder / "CMakeLists.txt" for folder in file.parents]
        named = re.compile(rf"(?<![\w.]){re.escape(file.name)}(?![\w.])")
        if not any(named.search(tree.text_of(each)) for each in lists if each.is_file()):
            found.append(f"{file.as_posix()}:1: no CMakeLists.txt names it: its tests never run")
    return found


if __name__ == "__main__":
    tree.main({"names": check_names, "built": check_built})
