#!/usr/bin/env python3
"""Packs what is built, as it is and again as a later version: FOLDER/first and FOLDER/second.

usage: make_packages.py --build FOLDER --into FOLDER
"""
import argparse
import pathlib
import shutil
import subprocess
import sys

LATER_VERSION = "99.0.0"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--into", type=pathlib.Path, required=True)
    options = parser.parse_args()
    shutil.rmtree(options.into, ignore_errors=True)
    for tool in ("cpack", "dpkg-deb", "dpkg-shlibdeps", "gzip"):
        if shutil.which(tool) is None:
            print(f"not run here: packages: {tool} is missing", file=sys.stderr)
            return 125
    for name, definitions in (("first", []), ("second", ["-D", f"CPACK_PACKAGE_VERSION={LATER_VERSION}"])):
        folder = options.into / name
        subprocess.run(["cpack", "-G", "DEB", "--config", options.build / "CPackConfig.cmake", "-B", folder, *definitions], check=True)
        shutil.rmtree(folder / "_CPack_Packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
