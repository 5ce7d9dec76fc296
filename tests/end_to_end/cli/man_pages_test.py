#!/usr/bin/env python3
"""The man pages, read by the program that most strictly says what is wrong with one.

usage: man_pages_test.py FOLDER TENURED   (FOLDER: what the build has made)
"""
import pathlib
import re
import shutil
import subprocess
import sys


def main():
    folder, tenured = pathlib.Path(sys.argv[1]), sys.argv[2]
    if shutil.which("mandoc") is None:
        print("not run here: man_pages: mandoc is missing", file=sys.stderr)
        return 125
    pages = sorted(folder.glob("man?/*"))
    names = {page.name for page in pages}
    missing = {"tenure.1", "tenure-job.1", "tenured.8", "tenure.toml.5"} - names
    if missing:
        print(f"there is no {', '.join(sorted(missing))} in {folder}")
        return 1
    lint = subprocess.run(["mandoc", "-T", "lint", *map(str, pages)], capture_output=True, text=True, check=False)
    # The tables of help and settings stand in the program, so what they call a page must be one.
    texts = {page.name: subprocess.run(["mandoc", "-T", "utf8", str(page)], capture_output=True, text=True, check=True).stdout for page in pages}
    plain = {name: re.sub(".\b", "", text) for name, text in texts.items()}
    named = {(name, f"{word}.{number}") for name, text in plain.items() for word, number in re.findall(r"(tenure[\w.-]*)\((\d)\)", text, re.I)}
    strange = sorted(f"{name} names {target}" for name, target in named if target.lower() not in names)
    # Its options stand in its own source.
    options = set(re.findall(r"--[a-z-]+", subprocess.run([tenured, "--help"], capture_output=True, text=True, check=True).stdout))
    untold = sorted(f"tenured.8 lacks {option}" for option in options if option not in plain["tenured.8"])
    print(lint.stdout, *strange, *untold, sep="\n")
    return 1 if lint.returncode or strange or untold else 0


if __name__ == "__main__":
    sys.exit(main())
