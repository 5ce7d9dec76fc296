#!/usr/bin/env python3
"""Whether a build without options, with its whole suite, needs a package that only an option asks for. It is configured, and not compiled:
what its sources include, all headers of the tree followed, and what its programs are linked with is read from what CMake has written."""

import argparse
import json
import pathlib
import re
import shlex
import subprocess
import sys

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]', re.MULTILINE)
FOREIGN_HEADER = re.compile(r"(boost/beast|prometheus/|libpq|pqxx|postgresql/|sodium)")
FOREIGN_LIBRARY = re.compile(r"lib(prometheus|pq|pqxx|sodium)[\w.-]*\.(?:so|a)|-l(prometheus|pq|pqxx|sodium)\b")


def configure(source, folder, definitions):
    command = ["cmake", "-S", source, "-B", folder, *definitions]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"a build without options cannot be configured:\n{done.stdout}{done.stderr}")


def include_folders(command):
    words = shlex.split(command)
    return [pathlib.Path(word[2:]) for word in words if word.startswith("-I")]


def headers_of(file, folders, root, seen):
    """Each header that `file` names, with who names it; those of the tree are followed."""
    if file in seen or not file.is_file():  # the build has not written it yet
        return
    seen.add(file)
    for name in INCLUDE.findall(file.read_text(errors="replace")):
        yield name, file
        found = next((place for place in [file.parent / name, *(folder / name for folder in folders)] if place.is_file()), None)
        if found and root in found.resolve().parents:
            yield from headers_of(found.resolve(), folders, root, seen)


def foreign_headers(folder, root):
    found = set()
    for entry in json.loads((folder / "compile_commands.json").read_text()):
        source = pathlib.Path(entry["file"]).resolve()
        for name, by in headers_of(source, include_folders(entry["command"]), root, set()):
            if FOREIGN_HEADER.match(name):
                found.add(f"{by.relative_to(root)} includes {name}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=pathlib.Path, required=True)
    parser.add_argument("--folder", type=pathlib.Path, required=True, help="where to configure")
    parser.add_argument("definitions", nargs="*", help="for CMake")
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    configure(root, arguments.folder, arguments.definitions)
    found = foreign_headers(arguments.folder, root)
    rules = (arguments.folder / "build.ninja").read_text()
    found |= {f"something is linked with {match.group()}" for match in FOREIGN_LIBRARY.finditer(rules)}
    print("\n".join(sorted(found)) or "nothing found")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
