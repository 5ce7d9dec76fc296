#!/usr/bin/env python3
"""tenured as a service: the unit, its sandbox, and what systemd and tenured tell each other.

usage: service_test.py --programs FOLDER --source FOLDER [TEST...]
"""
import argparse
import json
import pathlib
import re
import signal
import sys
import unittest

from machine import CannotRun, Machine, wait_until

STATE = "/var/lib/tenure"
SIGNALS = f"{STATE}/signals"
CONFIG = """
[tenants]
migrations = "/usr/share/tenure-test/migrations"
[daemon]
stop_deadline = "20s"
[[pool]]
name = "general"
program = "/usr/lib/tenure-test/worker"
processes = 1
slots = 4
"""
machine = None
options = None


def unit(verb, *words, check=True):
    return machine.run("systemctl", verb, "tenured", *words, check=check)


def prop(name):
    return machine.run("systemctl", "show", "-P", name, "tenured").strip()


def journal():
    return [json.loads(line) for line in machine.run("journalctl", "-u", "tenured", "-o", "json", "--no-pager").splitlines()
            if line.startswith("{")]


def events():
    found = []
    for entry in journal():
        message = entry.get("MESSAGE")
        if isinstance(message, str) and message.startswith("{"):
            found.append(json.loads(message))
    return found


def count_of(event):
    return sum(each["event"] == event for each in events())


def enqueue(name, *how):
    return machine.run("/usr/lib/tenure-test/enqueue_wait", "/etc/tenure/tenure.toml", name, *how, user="application").strip()


def runs_in(name):
    """The pid, inside, of the process that performs the job."""
    started = machine.path(f"{SIGNALS}/started-{name}")
    return wait_until(lambda: started.exists() and int(started.read_text()))


def group_of(pid):
    """Its control group, in the hierarchy of version 2."""
    return re.search(r"^0::(.*)$", machine.run("cat", f"/proc/{pid}/cgroup"), re.MULTILINE)[1]


def let_go(name):
    machine.run("touch", f"{SIGNALS}/go-{name}")


def state_of(job):
    return json.loads(machine.run("tenure", "job", "show", job, "--json"))["item"]["state"]


def uptime():
    return float(machine.path("/proc/uptime").read_text().split()[0])


def until_uptime(seconds):
    """systemd's times are real ones."""
    return wait_until(lambda: uptime() >= seconds)


def drop_in(name, text):
    machine.write(f"/etc/systemd/system/tenured.service.d/{name}.conf", text)
    machine.run("systemctl", "daemon-reload")


class Service(unittest.TestCase):
    def setUp(self):
        machine.run("rm", "-rf", "/etc/systemd/system/tenured.service.d")
        drop_in("test", f"[Service]\nEnvironment=SIGNALS_FOLDER={SIGNALS}\n")
        machine.write("/etc/tenure/tenure.toml", CONFIG)
        machine.run("systemctl", "stop", "tenured.socket")
        unit("stop")
        unit("reset-failed", check=False)
        machine.run("sh", "-c", f"rm -rf {STATE}/*; install -d -o tenure -g tenure -m 2770 {SIGNALS}")
        machine.run("tenure", "tenant", "create", "acme")

    def start(self):
        unit("start", check=False)
        self.assertEqual(prop("ActiveState"), "active", machine.run("journalctl", "-u", "tenured", "-n", "20", "--no-pager"))

    def test_STP_07_it_is_started_once_it_dispatches_and_its_status_says_how_it_does(self):
        self.start()
        self.assertTrue(any(event["event"] == "daemon.started" for event in events()))
        self.assertEqual(prop("StatusText"), "dispatching")
        job = enqueue("status")
        self.assertTrue(runs_in("status"))
        self.assertTrue(wait_until(lambda: prop("StatusText").startswith("1/4 slots")), prop("StatusText"))
        let_go("status")
        self.assertTrue(wait_until(lambda: state_of(job) == "succeeded"))

    def test_the_journal_has_one_line_of_json_for_one_event(self):
        self.start()
        job = enqueue("journal")
        self.assertTrue(runs_in("journal"))
        let_go("journal")
        self.assertTrue(wait_until(lambda: state_of(job) == "succeeded"))
        ready = [event for event in events() if event["event"] == "worker.ready"]
        self.assertTrue(ready)
        self.assertEqual(ready[-1]["pool"], "general")

    def test_STP_09_a_reload_takes_settings_over_and_interrupts_nothing(self):
        self.start()
        job = enqueue("reload")
        worker = runs_in("reload")
        machine.write("/etc/tenure/tenure.toml", CONFIG.replace("processes = 1", "processes = 2"))
        unit("reload")
        self.assertTrue(wait_until(lambda: any("pool.processes of general" in event["message"] for event in events())))
        machine.write("/etc/tenure/tenure.toml", CONFIG.replace("slots", "slotz"))
        unit("reload")
        self.assertTrue(wait_until(lambda: any(event["event"] == "configuration.refused" for event in events())))
        self.assertEqual(prop("ActiveState"), "active")
        machine.write("/etc/tenure/tenure.toml", CONFIG)
        let_go("reload")
        self.assertTrue(wait_until(lambda: state_of(job) == "succeeded"))
        self.assertTrue(machine.path(f"/proc/{worker}").exists())

    def test_STP_10_a_reload_brings_a_new_program_in_while_jobs_end_in_the_old_one(self):
        self.start()
        old_job = enqueue("old")
        old = runs_in("old")
        program = "/usr/lib/tenure-test/worker"
        machine.run("sh", "-c", f"cp {program} {program}.new && mv {program}.new {program}")
        # The old one takes jobs until its successor has said hello.
        replaced, hellos = count_of("worker.replaced"), count_of("worker.ready")
        unit("reload")
        self.assertTrue(wait_until(lambda: count_of("worker.replaced") > replaced and count_of("worker.ready") > hellos))
        new_job = enqueue("new")
        self.assertNotEqual(runs_in("new"), old)
        self.assertTrue(machine.path(f"/proc/{old}").exists())
        for name in ("old", "new"):
            let_go(name)
        self.assertTrue(wait_until(lambda: [state_of(old_job), state_of(new_job)] == ["succeeded"] * 2))
        self.assertTrue(wait_until(lambda: not machine.path(f"/proc/{old}").exists()))

    def test_a_killed_daemon_is_started_again_and_its_jobs_run(self):
        self.start()
        job = enqueue("killed")
        self.assertTrue(runs_in("killed"))
        before = prop("MainPID")
        machine.path(f"{SIGNALS}/started-killed").unlink()
        unit("kill", "--kill-whom=main", "--signal=KILL")
        self.assertTrue(wait_until(lambda: prop("ActiveState") == "active" and prop("MainPID") != before))
        self.assertTrue(runs_in("killed"))
        let_go("killed")
        self.assertTrue(wait_until(lambda: state_of(job) == "succeeded"))

    def test_STP_08_a_daemon_that_stands_still_is_ended_by_the_watchdog_and_started_again(self):
        drop_in("watchdog", "[Service]\nWatchdogSec=1\n")
        self.start()
        before = prop("MainPID")
        busy = enqueue("busy")
        self.assertTrue(runs_in("busy"))
        self.assertTrue(until_uptime(uptime() + 2))  # a running job is no standstill
        self.assertEqual(prop("MainPID"), before)
        unit("kill", "--kill-whom=main", f"--signal={signal.SIGSTOP.value}")
        self.assertTrue(wait_until(lambda: prop("ActiveState") == "active" and prop("MainPID") not in (before, "0")))
        self.assertIn("watchdog", machine.run("journalctl", "-u", "tenured", "--no-pager").lower())
        let_go("busy")
        self.assertTrue(wait_until(lambda: state_of(busy) == "succeeded"))

    def test_STP_07_a_stop_waits_for_running_jobs_beyond_the_time_of_the_unit(self):
        drop_in("stop", "[Service]\nTimeoutStopSec=2\n")
        self.start()
        job = enqueue("stop")
        self.assertTrue(runs_in("stop"))
        asked = uptime()
        machine.run("systemctl", "stop", "--no-block", "tenured")
        self.assertTrue(wait_until(lambda: prop("SubState") == "stop-sigterm"))
        self.assertTrue(wait_until(lambda: prop("StatusText").startswith("stopping: 1 ")), prop("StatusText"))
        self.assertTrue(until_uptime(asked + 4))
        self.assertEqual(prop("SubState"), "stop-sigterm")
        let_go("stop")
        self.assertTrue(wait_until(lambda: prop("ActiveState") == "inactive"), prop("ActiveState"))
        self.assertEqual(prop("Result"), "success")
        self.assertEqual(state_of(job), "succeeded")

    def test_each_worker_process_has_a_control_group_with_which_all_that_its_jobs_started_ends(self):
        self.start()
        job = enqueue("left-behind", "escapes")
        left = runs_in("child-left-behind")
        self.assertTrue(wait_until(lambda: state_of(job) == "succeeded"))
        group = group_of(left)
        self.assertTrue(group.startswith(prop("ControlGroup") + "/worker-"), group)
        self.assertEqual(group_of(prop("MainPID")), prop("ControlGroup"))
        machine.run("tenure", "worker", "recycle", "general", "--yes", "--reason", "test")
        self.assertTrue(wait_until(lambda: not machine.path(f"/proc/{left}").exists()))
        self.assertTrue(wait_until(lambda: not machine.path("/sys/fs/cgroup" + group).exists()))
        self.assertEqual(prop("ActiveState"), "active")

    def test_a_restart_and_a_stop_leave_no_process(self):
        self.start()
        enqueue("left")
        worker = runs_in("left")
        group = machine.path("/sys/fs/cgroup" + prop("ControlGroup"))
        self.assertTrue(group_of(worker).startswith(prop("ControlGroup") + "/"))
        drop_in("short", "[Service]\nEnvironment=TENURE_DAEMON_STOP_DEADLINE=1s\n")
        unit("restart")
        unit("stop")
        self.assertEqual(prop("Result"), "success")
        self.assertFalse(group.exists() and (group / "cgroup.procs").read_text())

    def test_operators_of_the_group_ask_the_daemon_and_its_status_says_what_is_quiet(self):
        self.start()
        socket = machine.run("stat", "-c", "%a %U:%G", "/run/tenure/control.sock", "/run/tenure").split("\n")
        self.assertEqual(socket[:2], ["660 tenure:tenure", "750 tenure:tenure"])
        self.assertIn("general", machine.run("tenure", "worker", "list", user="application"))
        machine.run("tenure", "worker", "quiet", user="application")
        self.assertTrue(wait_until(lambda: "quiet since" in prop("StatusText")), prop("StatusText"))
        machine.run("tenure", "worker", "resume")
        self.assertTrue(wait_until(lambda: "quiet" not in prop("StatusText")), prop("StatusText"))
        self.assertEqual(machine.exit_of("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "tenure", "worker", "list"), 78)

    def test_the_socket_of_systemd_is_served_outlives_the_daemon_and_starts_it(self):
        machine.run("systemctl", "start", "tenured.socket")
        self.start()
        self.assertIn("general", machine.run("tenure", "worker", "list", user="application"))
        self.assertFalse([event for event in events() if event["event"] == "control.unavailable"])
        unit("stop")
        self.assertIn("general", machine.run("tenure", "worker", "list", user="application"))
        self.assertTrue(wait_until(lambda: prop("ActiveState") == "active"), prop("ActiveState"))

    def test_a_configuration_that_cannot_be_used_is_not_tried_again(self):
        machine.write("/etc/tenure/tenure.toml", CONFIG + "[daemon2]\nx = 1\n")
        unit("start", check=False)
        self.assertTrue(wait_until(lambda: prop("ActiveState") == "failed"))
        self.assertEqual((prop("ExecMainStatus"), prop("NRestarts")), ("78", "0"))

    def test_SEC_16_the_unit_is_as_closed_as_promised(self):
        text = machine.run("systemd-analyze", "security", "--no-pager", "tenured.service")
        exposure = float(re.search(r"Overall exposure level for tenured.service: ([\d.]+)", text)[1])
        print(f"exposure={exposure}")
        self.assertLessEqual(exposure, 0.5)


def files():
    programs = options.programs
    return [
        (f"{options.source}/systemd/tenure.sysusers", "/usr/lib/sysusers.d/tenure.conf"),
        (f"{options.source}/systemd/tenure.tmpfiles", "/usr/lib/tmpfiles.d/tenure.conf"),
        (f"{programs}/tenured", "/usr/bin/tenured"),
        (f"{programs}/tenure", "/usr/bin/tenure"),
        (f"{programs}/end_to_end_worker", "/usr/lib/tenure-test/worker"),
        (f"{programs}/enqueue_wait", "/usr/lib/tenure-test/enqueue_wait"),
    ]


def prepare():
    unit_text = pathlib.Path(options.source, "systemd/tenured.service.in").read_text()
    machine.write("/lib/systemd/system/tenured.service", unit_text.replace("@CMAKE_INSTALL_FULL_BINDIR@", "/usr/bin"))
    machine.write("/lib/systemd/system/tenured.socket", pathlib.Path(options.source, "systemd/tenured.socket").read_text())
    machine.run("systemd-sysusers", "tenure.conf")
    machine.run("useradd", "--no-create-home", "--groups", "tenure", "application")
    machine.run("systemd-tmpfiles", "--create", "tenure.conf")
    machine.write("/usr/share/tenure-test/migrations/0001_run.sql", "create table run (name text not null);\n")
    machine.write("/etc/tenure/tenure.toml", CONFIG)
    machine.run("systemctl", "daemon-reload")


def main():
    global machine, options
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True)
    parser.add_argument("--source", required=True)
    options, rest = parser.parse_known_args()
    try:
        machine = Machine(files())
    except CannotRun as reason:
        print(f"not run here: systemd_service: {reason}", file=sys.stderr)
        return 125
    try:
        prepare()
        return 0 if unittest.main(argv=[sys.argv[0], "-v", *rest], exit=False).result.wasSuccessful() else 1
    finally:
        machine.stop()


if __name__ == "__main__":
    sys.exit(main())
