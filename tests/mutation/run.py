#!/usr/bin/env python3
"""Whether tests notice each of the breakages of breakages.py.

usage: run.py [--check] [--only NAME] [--source ROOT] [--folder FOLDER]

Copies the tree to FOLDER (build/mutations), builds the test programs there and runs the tests, which must pass; then makes one breakage after the other
in the copy, builds its test program and runs its test, which must fail. Prints a table. --check only looks whether each breakage still fits its source
and its test is there. Exit: 0 all were noticed; 1 otherwise; 2 called wrongly.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import time

from breakages import BREAKAGES

LEFT_OUT = {"build", ".git", "demo"}
TEST_MAX = 600  # seconds


def problem_of(root, breakage):
    """Nothing where the breakage can be made."""
    for file, old, _ in breakage.edits:
        if (count := (root / file).read_text().count(old)) != 1:
            return f"{breakage.name}: its text stands {count} times in {file}, not once"
    suite, case = breakage.test.split(".")
    wanted = re.compile(rf"TEST(_F|_P)?\({suite}, {case}\)")
    if not any(wanted.search(source.read_text()) for source in (root / "tests").glob("**/*.cpp")):
        return f"{breakage.name}: there is no test {breakage.test}"
    return None


def copy_tree(source, copy):
    """What is the same stays untouched, so that a second run builds little."""
    wanted = set()
    for file in source.rglob("*"):
        place = file.relative_to(source)
        if place.parts[0] in LEFT_OUT or not file.is_file() or "__pycache__" in place.parts:
            continue
        wanted.add(place)
        target = copy / place
        if not target.is_file() or target.read_bytes() != file.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
            shutil.copymode(file, target)
    for file in list(copy.rglob("*")):
        place = file.relative_to(copy)
        if place.parts[0] not in LEFT_OUT and file.is_file() and place not in wanted:
            file.unlink()


class Copy:
    def __init__(self, root):
        self._root = root
        self.build_folder = root / "build/release"

    def _run(self, command, **options):
        return subprocess.run(command, cwd=self._root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", check=False, **options)

    def configure(self):
        done = self._run(["cmake", "--preset", "release"])
        if done.returncode != 0:
            sys.exit(f"the copy cannot be configured:\n{done.stdout}")

    def build(self, programs):
        """Nothing where it compiles, else what is said."""
        done = self._run(["cmake", "--build", "--preset", "release", "--target", *programs])
        return None if done.returncode == 0 else done.stdout

    def test(self, program, test):
        """The exit code (negative: by that signal), and what is printed."""
        (path,) = [found for found in self.build_folder.glob(f"tests/**/{program}") if found.is_file()]
        try:
            done = self._run([path, f"--gtest_filter={test}:*/{test}/*"], timeout=TEST_MAX)  # with parameters, too
        except subprocess.TimeoutExpired:
            return 1, f"[  FAILED  ] it has not ended within {TEST_MAX} s"
        return done.returncode, done.stdout

    def text(self, file):
        return (self._root / file).read_text()

    def write(self, file, text):
        (self._root / file).write_text(text)


def control(copy, breakages):
    """The tests are green as long as nothing is broken."""
    if (said := copy.build(sorted({each.program for each in breakages}))) is not None:
        sys.exit(f"the unbroken copy cannot be built:\n{said[-4000:]}")
    for program, test in sorted({(each.program, each.test) for each in breakages}):
        code, said = copy.test(program, test)
        if code != 0 or not re.search(r"[1-9]\d* tests? from 1 test suite ran", said):
            sys.exit(f"{test} is not green in the unbroken copy:\n{said[-4000:]}")


def first_failure(said):
    """The line that the test has printed of it."""
    found = re.search(r"^\S+:(\d+): Failure\n(.*?)$", said, re.MULTILINE)
    return f"line {found[1]}: {found[2][:80]}" if found else "it ended"


def verdict_of(copy, breakage):
    whole = {file: copy.text(file) for file, _, _ in breakage.edits}
    for file, old, new in breakage.edits:
        copy.write(file, copy.text(file).replace(old, new))  # of one file there may be two
    try:
        if (said := copy.build([breakage.program])) is not None:
            return False, f"does not compile: {said[-2000:]}"
        code, said = copy.test(breakage.program, breakage.test)
        return code != 0, first_failure(said) if code != 0 else "NOT NOTICED"
    finally:
        for file, text in whole.items():
            copy.write(file, text)


def main():
    own = pathlib.Path(__file__).resolve()
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--source", type=pathlib.Path, default=own.parents[2])
    parser.add_argument("--folder", type=pathlib.Path)
    options = parser.parse_args()
    breakages = [each for each in BREAKAGES if options.only in (None, each.name)]
    if not breakages:
        print("run.py: the breakages are " + ", ".join(each.name for each in BREAKAGES), file=sys.stderr)
        return 2
    if problems := [problem for each in breakages if (problem := problem_of(options.source, each))]:
        print("\n".join(problems))
        return 1
    if options.check:
        return 0
    copy = Copy(options.folder or options.source / "build/mutations")
    copy_tree(options.source, options.folder or options.source / "build/mutations")
    copy.configure()
    control(copy, breakages)
    missed = 0
    for each in breakages:
        begun = time.monotonic()
        is_noticed, how = verdict_of(copy, each)
        missed += not is_noticed
        print(f"{'noticed' if is_noticed else 'MISSED':<8} {each.name:<28} {each.test}\n         {how} ({time.monotonic() - begun:.0f} s)",
              flush=True)
    print(f"{len(breakages) - missed} of {len(breakages)} breakages were noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
