#!/usr/bin/env python3
"""What Debian's own check of packages says of ours: no errors, and no warnings but those that are named here.

usage: lintian_test.py FOLDER
"""
import pathlib
import re
import shutil
import subprocess
import sys

EXPECTED = {"initial-upload-closes-no-bugs": "it is not uploaded to Debian, where an intent to package would have a number"}


def main():
    packages = sorted(pathlib.Path(sys.argv[1]).glob("*.deb"))
    if shutil.which("lintian") is None or not packages:
        print(f"not run here: package_lintian: {'there are no packages' if not packages else 'lintian is missing'}", file=sys.stderr)
        return 125
    done = subprocess.run(["lintian", "--tag-display-limit", "0", *map(str, packages)], capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if re.match("[EW]: ", line)]
    wrong = [line for line in lines if line.startswith("E") or line.split()[2] not in EXPECTED]
    print(done.stdout, done.stderr, sep="")
    return 1 if wrong or done.returncode not in (0, 2) else 0


if __name__ == "__main__":
    sys.exit(main())
