#!/usr/bin/env python3
"""Follows a page of the manual: types each command that it shows, and compares what is printed with what the page says.

usage: session_test.py --programs FOLDER --source FOLDER --page FILE [--application guide|debtrack] [--program NAME=FIRST[:MENDED]]...

A block ```console holds commands (`$ ` before them) and what they print. Ids, times, durations, sizes and pids differ from run to run: each id of the page
stands for one of the run, which commands get in its place, and the others are compared as what they are. A comment <!-- until COMMAND: TEXT --> between the
blocks waits until COMMAND prints TEXT. A comment <!-- mended --> puts MENDED in the place of each program that has one. With TENURE_TEST_ACCEPT=1 the page is written anew from what was printed.
"""
import argparse
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
CHANGING = [
    (re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z"), "<time>"),
    (re.compile(r"\b\d+(\.\d+)? (ms|us|s|min|h|d|B|KiB|MiB|GiB)(?![\w/])"), "<measure>"),
    (re.compile(r"\b\d+(\.\d+)?(ms|us|s)\b"), "<measure>"),
    (re.compile(r"\bpid \d+ on [\w.-]+"), "<pid>"),
    (re.compile(r"\b(size|WAL) \d+"), "<size>"),
    (re.compile(r"^\w+ +sqlite .*$", re.MULTILINE), "<library>"),
    (re.compile(r"[\w.-]+/(general\.\d+)"), r"<node>/\1"),
    (re.compile(r"(?<=[0-9a-f]{12})\.\d+\.\d+\.capsule"), ".<claim>.capsule"),
    (re.compile(r"\b0x[0-9a-f]+\b"), "<address>"),
    (re.compile(r" {2,}"), "  "),
]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
UNTIL = re.compile(r"<!-- until (.*?): (.*?) -->")
MENDED = re.compile(r"<!-- mended -->")
# Name, worker program, and which queues its pool performs.
APPLICATIONS = {"guide": ("billing", "guide-worker", '"urgent", "mail", "default"'),
                "debtrack": ("debtrack", "debtrack-worker", '"imports", "reports"')}
CONFIG = """[application]
name = "{name}"
[store]
path = "%{{config_dir}}/data/control.db"
[tenants]
path = "%{{config_dir}}/data/tenants/%{{tenant}}.db"
migrations = "{migrations}"
[[pool]]
name = "general"
program = "{worker}"
queues = [{queues}]
processes = 1
slots = 2
"""


def wait_until(condition, seconds=60):
    for _ in range(int(seconds / 0.05)):
        if answer := condition():
            return answer
        select.select([], [], [], 0.05)
    return condition()


def commands_of(block):
    """Pairs of a command and what it prints."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, _, printed = part.partition("\n")
        while command.endswith("\\"):
            more, _, printed = printed.partition("\n")
            command = command[:-1] + more.strip()
        yield command, printed


def comparable(text, ids):
    text = UUID.sub(lambda found: ids.get(found[0], found[0]), text)
    for pattern, word in CHANGING:
        text = pattern.sub(word, text)
    return [line.rstrip() for line in text.rstrip().splitlines()]


class Session:
    def __init__(self, folder, programs, swapped):
        self._folder = folder
        self._bin = folder / "bin"
        self._bin.mkdir()
        self._mended = {name: paths.partition(":")[2] for name, paths in swapped.items()}
        for name, paths in swapped.items():
            (self._bin / name).symlink_to(paths.partition(":")[0])
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TENURE_")}
        self._environment = {**inherited, "PATH": f"{self._bin}:{programs}:{os.environ['PATH']}", "TENURE_CONFIG": str(folder / "tenure.toml"),
                             "LC_ALL": "C.UTF-8", "TZ": "UTC", "COLUMNS": "120"}
        self.of_page = {}  # ids of the page as those of the run
        self.of_run = {}

    def run(self, command):
        """Its exit code, and all that it prints."""
        done = subprocess.run(["bash", "-c", UUID.sub(lambda found: self.of_page.get(found[0], found[0]), command)],
                              cwd=self._folder, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        return done.returncode, done.stdout.decode(errors="replace")

    def type(self, command):
        return self.run(command)[1]

    def learn(self, shown, printed):
        """Ids stand for each other in the order in which they are met."""
        for of_page, of_run in zip(UUID.findall(shown), UUID.findall(printed)):
            if of_page not in self.of_page and of_run not in self.of_run:
                self.of_page[of_page], self.of_run[of_run] = of_run, of_page

    def mend(self):
        for name, path in self._mended.items():
            if path:
                (self._bin / name).unlink()
                (self._bin / name).symlink_to(path)

    def start_daemon(self):
        log = open(self._folder / "tenured.log", "wb")
        return subprocess.Popen(["tenured"], cwd=self._folder, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_for(self, command, text):
        return wait_until(lambda: text in self.type(command))


def follow(session, page, accept):
    """The faults, and the page as it would be right."""
    faults, right, end = [], [], 0
    steps = sorted([*BLOCK.finditer(page), *UNTIL.finditer(page), *MENDED.finditer(page)], key=lambda found: found.start())
    for step in steps:
        right.append(page[end:step.start()])
        end = step.end()
        if step.re is MENDED:
            right.append(step[0])
            session.mend()
            continue
        if step.re is UNTIL:
            right.append(step[0])
            if not session.wait_for(step[1], step[2]):
                faults.append(f"{step[1]}: never printed {step[2]}")
            continue
        block = []
        for command, shown in commands_of(step[1]):
            printed = session.type(command)
            session.learn(shown, printed)
            if comparable(shown, session.of_page) != comparable(printed, {}):
                faults.append(f"$ {command}\nthe page says:\n{shown}\nit printed:\n{printed}")
            block.append(f"$ {command}\n" + UUID.sub(lambda found: session.of_run.get(found[0], found[0]), printed))
        right.append("```console\n" + "".join(block) + "```")
    right.append(page[end:])
    return faults, "".join(right) if accept else page


def prepare(folder, options):
    (folder / "data").mkdir()
    shutil.copytree(options.source / "examples" / options.application / "migrations", folder / "migrations")
    name, worker, queues = APPLICATIONS[options.application]
    session = Session(folder, options.programs, dict(pair.split("=", 1) for pair in options.program))
    place = folder / "bin" / worker if (folder / "bin" / worker).exists() else options.programs / worker
    (folder / "tenure.toml").write_text(CONFIG.format(name=name, migrations="%{config_dir}/migrations", worker=place, queues=queues))
    return session


def missing_tool(page):
    """Which tool that the page needs is not here, or may not be used."""
    if "gdb" not in page:
        return None
    if shutil.which("gdb") is None:
        return "gdb"
    done = subprocess.run(["gdb", "-q", "-nx", "-batch", "-ex", "run", "--args", "/bin/true"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    return None if b"exited normally" in done.stdout else "a gdb that may trace a process"


def main():
    parser = argparse.ArgumentParser()
    for name in ("programs", "source", "page"):
        parser.add_argument(f"--{name}", required=True, type=pathlib.Path)
    parser.add_argument("--application", choices=APPLICATIONS, default="guide")
    parser.add_argument("--program", action="append", default=[])
    options = parser.parse_args()
    page = options.page.read_text()
    if missing := missing_tool(page):
        print(f"not run here: {options.page.name}, which needs {missing}")
        return 125
    accept = os.environ.get("TENURE_TEST_ACCEPT") == "1"
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tenure-session."))
    daemon = None
    try:
        session = prepare(folder, options)
        setup = re.search(r"<!-- before:\n(.*?)-->", page, re.DOTALL)[1]
        for command in setup.strip().splitlines():
            if command == "tenured":
                daemon = session.start_daemon()
                if not session.wait_for("tenure worker list", "general"):
                    print("tenured did not start:\n" + (folder / "tenured.log").read_text())
                    return 1
                continue
            code, printed = session.run(command)
            if code != 0:
                print(f"$ {command}\nexit {code}: {printed}")
                return 1
        faults, right = follow(session, page, accept)
        print("\n".join(faults))
        if accept:
            options.page.write_text(right)
        return 1 if faults else 0
    finally:
        if daemon is not None:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
