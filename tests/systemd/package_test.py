#!/usr/bin/env python3
"""The Debian packages, by dpkg and under a real systemd: installed, started, upgraded while a job runs, removed, purged.

usage: package_test.py --programs FOLDER --source FOLDER --packages FOLDER [TEST...]
"""
import argparse
import json
import pathlib
import sys
import unittest

from machine import CannotRun, Machine, wait_until

STATE = "/var/lib/tenure"
SIGNALS = f"{STATE}/signals"
CONFIG = """
[tenants]
migrations = "/usr/share/tenure-test/migrations"
[daemon]
stop_deadline = "1s"
[[pool]]
name = "general"
program = "/usr/lib/tenure-test/worker"
processes = 1
slots = 4
"""
DROP_INS = "/etc/systemd/system/tenured.service.d"
machine = None
options = None


def exists(path):
    return machine.exit_of("test", "-e", path) == 0


def mode(path):
    return machine.run("stat", "-c", "%a %U:%G", path).strip()


def package(version, name):
    """The file inside."""
    (found,) = (options.packages / version).glob(f"{name}_*.deb")
    return f"/usr/share/tenure-test/{version}/{found.name}"


def dpkg(*words, check=True):
    # Some images of Debian leave pages out.
    return machine.run("dpkg", "--path-include=/usr/share/*", *words, check=check)


def install(version, name="tenure"):
    return dpkg("--install", package(version, name))


def prop(name):
    return machine.run("systemctl", "show", "-P", name, "tenured").strip()


def state_of(job):
    return json.loads(machine.run("tenure", "job", "show", job, "--json"))["item"]["state"]


class Package(unittest.TestCase):
    def setUp(self):
        dpkg("--purge", "tenure", "libtenure-dev", check=False)
        machine.run("rm", "-rf", "/etc/tenure", STATE, DROP_INS)
        if machine.exit_of("getent", "passwd", "tenure") == 0:
            machine.run("userdel", "tenure")
        self.said = install("first")

    def configure_and_start(self):
        machine.write("/etc/tenure/tenure.toml", CONFIG)
        machine.write(f"{DROP_INS}/test.conf", f"[Service]\nEnvironment=SIGNALS_FOLDER={SIGNALS}\n")
        machine.run("systemctl", "daemon-reload")
        machine.run("install", "-d", "-o", "tenure", "-g", "tenure", "-m", "2770", SIGNALS)
        machine.run("tenure", "tenant", "create", "acme")
        machine.run("systemctl", "enable", "--now", "tenured")
        self.assertEqual(prop("ActiveState"), "active", machine.run("journalctl", "-u", "tenured", "-n", "20", "--no-pager"))

    def running_job(self, name):
        job = machine.run("/usr/lib/tenure-test/enqueue_wait", "/etc/tenure/tenure.toml", name).strip()
        self.assertTrue(wait_until(lambda: exists(f"{SIGNALS}/started-{name}")))
        return job

    def test_a_fresh_installation_is_whole_and_starts_nothing(self):
        self.assertIn("/usr/share/doc/tenure/tenure.toml.sample", self.said)
        self.assertEqual(dpkg("--verify", "tenure"), "")
        version = machine.run("dpkg-query", "-W", "-f", "${Version}", "tenure").split("-")[0]
        self.assertEqual(machine.run("tenure", "--version"), f"tenure {version}\n")
        self.assertEqual(machine.run("tenured", "--version"), f"tenured {version}\n")
        self.assertEqual(mode("/etc/tenure"), "750 root:tenure")
        self.assertEqual(mode(STATE), "2770 tenure:tenure")
        self.assertEqual(machine.run("ls", "-A", "/etc/tenure", STATE).split(), ["/etc/tenure:", f"{STATE}:"])
        self.assertIn(f":{STATE}:/usr/sbin/nologin", machine.run("getent", "passwd", "tenure"))
        self.assertEqual((prop("LoadState"), prop("UnitFileState"), prop("ActiveState")), ("loaded", "disabled", "inactive"))
        self.assertIn("/usr/bin/tenured", prop("ExecStart"))
        machine.run("systemd-analyze", "verify", "--man=no", "tenured.service")
        for page in ("tenure", "tenure-job", "tenured", "tenure.toml"):
            self.assertIn("/usr/share/man/", machine.run("man", "-w", page))
        for file in ("bash-completion/completions/tenure", "zsh/vendor-completions/_tenure", "fish/vendor_completions.d/tenure.fish",
                     "doc/tenure/manual/operation.md"):
            self.assertTrue(exists(f"/usr/share/{file}"), file)

    def test_it_runs_jobs_with_a_small_configuration(self):
        self.configure_and_start()
        job = self.running_job("small")
        machine.run("touch", f"{SIGNALS}/go-small")
        self.assertTrue(wait_until(lambda: state_of(job) == "succeeded"))

    def test_an_upgrade_restarts_the_daemon_and_keeps_its_jobs(self):
        self.configure_and_start()
        job = self.running_job("upgrade")
        before = prop("MainPID")
        machine.run("rm", f"{SIGNALS}/started-upgrade")
        install("second")
        self.assertEqual(prop("ActiveState"), "active")
        self.assertNotEqual(prop("MainPID"), before)
        self.assertEqual(prop("UnitFileState"), "enabled")
        self.assertTrue(wait_until(lambda: exists(f"{SIGNALS}/started-upgrade")))
        machine.run("touch", f"{SIGNALS}/go-upgrade")
        self.assertTrue(wait_until(lambda: state_of(job) == "succeeded"))

    def test_an_upgrade_starts_no_daemon_that_was_stopped(self):
        self.configure_and_start()
        machine.run("systemctl", "stop", "tenured")
        install("second")
        self.assertEqual(prop("ActiveState"), "inactive")

    def test_a_removal_stops_it_and_leaves_configuration_and_data(self):
        self.configure_and_start()
        dpkg("--remove", "tenure")
        self.assertEqual((prop("LoadState"), prop("ActiveState")), ("not-found", "inactive"))
        self.assertFalse(exists("/usr/bin/tenured"))
        self.assertTrue(exists(f"{STATE}/control.db") and exists("/etc/tenure/tenure.toml"))
        install("first")  # as if nothing had been
        machine.run("systemctl", "start", "tenured")
        self.assertEqual((prop("UnitFileState"), prop("ActiveState")), ("enabled", "active"))

    def test_a_purge_leaves_what_somebody_has_written_and_says_so(self):
        self.configure_and_start()
        said = dpkg("--purge", "tenure")
        for folder in ("/etc/tenure", STATE, DROP_INS):
            self.assertIn(f"tenure: {folder} stays", said)
        self.assertTrue(exists(f"{STATE}/control.db") and exists("/etc/tenure/tenure.toml"))
        self.assertEqual(prop("ActiveState"), "inactive")
        self.assertFalse(exists("/run/tenure"))

    def test_a_purge_of_what_was_never_used_leaves_the_user_and_says_so(self):
        machine.run("systemctl", "enable", "tenured")
        said = dpkg("--purge", "tenure")
        self.assertNotIn("stays", said)
        self.assertIn("the user and the group tenure stay", said)
        self.assertEqual(machine.run("find", "/etc", "/usr", "/var", "/run", "-name", "*tenure*", "-not", "-path", "/usr/share/tenure-test*",
                                     "-not", "-path", "/usr/lib/tenure-test*"), "")
        self.assertEqual(machine.run("find", "/etc/systemd", "-name", "tenured.service"), "")
        self.assertEqual(machine.run("dpkg-query", "-W", "-f", "${Status}", "tenure", check=False).count("installed"), 0)

    def test_a_program_finds_the_package_of_headers_and_libraries(self):
        install("first", "libtenure-dev")
        self.assertEqual(dpkg("--verify", "libtenure-dev"), "")
        for file in ("include/tenure/client.hpp", "include/tenure/worker.hpp", "share/doc/tenure/decisions", "share/doc/tenure/formats"):
            self.assertTrue(exists(f"/usr/{file}"), file)
        said = machine.run("cmake", "-S", "/usr/share/tenure-test/application", "-B", "/tmp/application")
        self.assertIn("Generating done", said)


def files():
    programs = options.programs
    return [
        (options.packages, "/usr/share/tenure-test"),
        (f"{options.source}/tests/consumer/application", "/usr/share/tenure-test/application"),
        (f"{programs}/end_to_end_worker", "/usr/lib/tenure-test/worker"),
        (f"{programs}/enqueue_wait", "/usr/lib/tenure-test/enqueue_wait"),
    ]


def main():
    global machine, options
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--packages", type=pathlib.Path, required=True)
    options, rest = parser.parse_known_args()
    try:
        if not list(options.packages.glob("*/*.deb")):
            raise CannotRun("there are no packages")
        machine = Machine(files())
    except CannotRun as reason:
        print(f"not run here: systemd_package: {reason}", file=sys.stderr)
        return 125
    try:
        machine.write("/usr/share/tenure-test/migrations/0001_run.sql", "create table run (name text not null);\n")
        # Images of containers have a policy that nothing is started. An index of all pages would be written at each step.
        machine.run("rm", "-f", "/usr/sbin/policy-rc.d", "/var/lib/man-db/auto-update")
        return 0 if unittest.main(argv=[sys.argv[0], "-v", *rest], exit=False).result.wasSuccessful() else 1
    finally:
        machine.stop()


if __name__ == "__main__":
    sys.exit(main())
