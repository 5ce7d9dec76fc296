#!/usr/bin/env python3
"""A test program inside the sandbox of the service: its own unit, as its own user, with another program.

usage: sandbox_test.py --source FOLDER --programs FOLDER PROGRAM
"""
import argparse
import json
import pathlib
import sys

from machine import CannotRun, Machine, wait_until

STATE = "/var/lib/tenure"
UNIT = "/lib/systemd/system/tenured.service"
# What these do themselves is what the sandbox forbids; they run outside.
CANNOT_RUN_INSIDE = {
    # Sets the bit by which a folder hands down its group (RestrictSUIDSGID=).
    # Refuses itself sockets by a filter of system calls (SystemCallFilter=): replays are a developer's, outside of the service.
    "base_test": ["OwnershipTest.FoldersHaveTheModeOfTheOneTheyLieInWhateverTheUmask", "NoSockets.*"],
    # There the child ends with its control group, as service_test.py shows.
    "end_to_end_test": ["ForkTest.AChildThatLeavesItsProcessGroupKeepsNeitherLockNorSocket"],
    # An address of the network (RestrictAddressFamilies=).
    "observing_test": ["ListeningSocketTest.AnAddressThatTheMachineHasNotYetIsWaitedFor"],
}
HIDDEN_BY_THE_UNIT = ("home", "root", "run")  # folders of the file system's root (ProtectHome=)
machine = None


def prop(name):
    return machine.run("systemctl", "show", "-P", name, "tenured").strip()


def shown(paths):
    """Lines of the unit by which it sees the tree of the build, where that lies in one of the folders that it hides."""
    lines = [f"BindReadOnlyPaths={path}" for path in paths]
    if any(pathlib.Path(path).parts[1] in HIDDEN_BY_THE_UNIT for path in paths):
        lines.append("ProtectHome=tmpfs")
    return "\n".join(lines)


def outcome_of(program, tree):
    """Runs it as the service: how that ended, and its tests, as gtest tells of them, or nothing where it did not come to its end."""
    report = f"{STATE}/{program.name}.json"
    without = CANNOT_RUN_INSIDE.get(program.name, [])
    arguments = f"--gtest_brief=1 --gtest_output=json:{report} --gtest_filter=-{':'.join(without)}"
    machine.write("/etc/systemd/system/tenured.service.d/suite.conf", f"""[Unit]
ConditionPathExists=
[Service]
Type=exec
NotifyAccess=none
WatchdogSec=0
Restart=no
TimeoutStopSec=5
ExecStart=
ExecStart={program} {arguments}
WorkingDirectory={STATE}
Environment=TMPDIR={STATE}/work
{shown(tree)}
""")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "tenured", check=False)
    wait_until(lambda: prop("ActiveState") in ("inactive", "failed"), seconds=900, pause=0.5)
    ended = f"{prop('Result')}, status {prop('ExecMainStatus')}"
    machine.run("systemctl", "reset-failed", "tenured", check=False)
    file = machine.path(report)
    return ended, json.loads(file.read_text()) if file.exists() else None


def tests_of(report):
    return [(f"{suite['name']}.{test['name']}", test) for suite in report["testsuites"] for test in suite["testsuite"]]


def failures_of(program, tree):
    ended, report = outcome_of(program, tree)
    if report is None:
        return [f"{program.name}: came to no end: {ended}"]
    tests = tests_of(report)
    failed = [f"{program.name}: {name}: {test['failures'][0]['failure']}" for name, test in tests if "failures" in test]
    skipped = [name for name, test in tests if test["result"] == "SKIPPED"]
    print(f"{program.name}: {len(tests)} tests, {len(failed)} failed, skipped: {' '.join(skipped) or 'none'}", flush=True)
    # What kills it behind its last test, as the sandbox might, is in no report.
    if not failed and ended != "success, status 0":
        failed.append(f"{program.name}: {ended}")
    return failed if tests else [f"{program.name}: ran no test"]


def prepare(source):
    text = pathlib.Path(source, "systemd/tenured.service.in").read_text()
    machine.write(UNIT, text.replace("@CMAKE_INSTALL_FULL_BINDIR@", "/usr/bin"))
    machine.run("systemd-sysusers", "tenure.conf")
    machine.run("systemd-tmpfiles", "--create", "tenure.conf")
    machine.run("install", "-d", "-o", "tenure", "-g", "tenure", "-m", "2770", STATE, f"{STATE}/work")


def main():
    global machine
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", required=True)
    parser.add_argument("--programs", required=True)
    parser.add_argument("program", type=pathlib.Path)
    options = parser.parse_args()
    seen = [options.programs, f"{options.source}/tests", f"{options.source}/docs", f"{options.source}/examples", options.program,
            *options.program.parent.glob("*.so")]  # libraries that it loads itself
    copies = [(f"{options.source}/systemd/tenure.sysusers", "/usr/lib/sysusers.d/tenure.conf"),
              (f"{options.source}/systemd/tenure.tmpfiles", "/usr/lib/tmpfiles.d/tenure.conf"),
              *((path, path) for path in seen)]
    try:
        machine = Machine(copies)
    except CannotRun as reason:
        print(f"not run here: SEC_16: {reason}", file=sys.stderr)
        return 125
    try:
        prepare(options.source)
        failures = failures_of(options.program, seen)
        print("\n".join(failures))
        if failures:
            print(machine.run("journalctl", "-u", "tenured", "-n", "100", "--no-pager"))
        return 1 if failures else 0
    finally:
        machine.stop()


if __name__ == "__main__":
    sys.exit(main())
