#!/usr/bin/env python3
"""Whether a program that is linked with tenure::client alone has no code of handlers: what performs jobs, and what speaks to the daemon. The
worker program beside it has each of the names that are looked for, so that none of them can be one that nothing has."""

import argparse
import subprocess
import sys

OF_WORKERS = ("tenure::JobRegistry::", "tenure::JobContext::", "tenure::Performer::", "tenure::worker_main(", "tenure::daemon::")
OF_CLIENTS = ("tenure::Client::",)


def names_in(nm, program):
    command = [nm, "--demangle", "--defined-only", program]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split(" ", 2)[2] for line in lines if line.count(" ") >= 2]


def found(names, parts):
    return {part: [name for name in names if part in name] for part in parts}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nm", required=True)
    parser.add_argument("--client", required=True)
    parser.add_argument("--worker", required=True)
    arguments = parser.parse_args()
    problems = []
    of_client = names_in(arguments.nm, arguments.client)
    for part, names in found(of_client, OF_WORKERS).items():
        if names:
            problems.append(f"{arguments.client} has {len(names)} of {part}, as {names[0]}")
    for part, names in found(of_client, OF_CLIENTS).items():
        if not names:
            problems.append(f"{arguments.client} has nothing of {part}")
    for part, names in found(names_in(arguments.nm, arguments.worker), OF_WORKERS).items():
        if not names:
            problems.append(f"{arguments.worker} has nothing of {part}, so looking for it says nothing")
    print("\n".join(problems) or f"{arguments.client}: no code of workers")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
