#!/usr/bin/env python3
"""Whether an entry header brings no more lines to a source than it may, beyond the headers of others that it cannot do without:
those of the types that arguments may have, times, and cereal. The store or SQLite's wrapper behind it would be 9,000 more."""

import argparse
import subprocess
import sys

FOLDERS = ("base", "tenancy", "queue", "config", "jobs", "daemon", "testing")

# The containers that may stand in arguments, times, ownership, stop tokens; cereal, whose functions users write; and expected.
NEEDED = (
    "array chrono compare deque functional list map memory optional set span stop_token string string_view tuple "
    "unordered_map unordered_set utility variant vector cereal/cereal.hpp tl/expected.hpp"
).split()


def lines_of(arguments, headers):
    text = "".join(f"#include <{header}>\n" for header in headers)
    folders = [f"-I{arguments.root}/{folder}/include" for folder in FOLDERS]
    command = [arguments.compiler, "-std=c++20", *folders, "-x", "c++", "-E", "-P", "-"]
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return sum(1 for line in result.stdout.splitlines() if line.strip())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--root", required=True)
    parser.add_argument("--header", required=True)
    parser.add_argument("--lines-max", type=int, required=True)
    parser.add_argument("--needs", action="append", default=[], metavar="HEADER", help="it cannot do without this one either")
    arguments = parser.parse_args()
    headers = [*NEEDED, *arguments.needs]
    needed = lines_of(arguments, headers)
    ours = lines_of(arguments, [*headers, arguments.header]) - needed
    print(f"<{arguments.header}>: {ours} lines beyond the {needed} of what it needs; at most {arguments.lines_max}")
    return 0 if ours <= arguments.lines_max else 1


if __name__ == "__main__":
    sys.exit(main())
