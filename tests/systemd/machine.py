"""A small machine of its own for tests of services: systemd as process 1 of new namespaces, over a throw-away copy of this file system.

Needs root, util-linux, iproute2, systemd, and a cgroup2 mount in which a group can be made. Nothing of the host is changed, and it boots
in less than a second. There is no D-Bus inside: systemctl, journalctl and systemd-analyze work, systemd-run does not.
"""
import os
import pathlib
import select
import shutil
import signal
import subprocess
import sys
import tempfile

SYSTEMD = "/lib/systemd/systemd"
TOOLS = ("unshare", "nsenter", "mount", "umount", "pivot_root", "ip", "setpriv", "systemctl", "journalctl")
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}


class CannotRun(Exception):
    """Why there can be no such machine here."""


def wait_until(condition, seconds=30, pause=0.02):
    """Looks every few milliseconds until the condition holds; its last answer."""
    for _ in range(int(seconds / pause)):
        if answer := condition():
            return answer
        select.select([], [], [], pause)
    return condition()


def cgroup_mount():
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return pathlib.Path(place)
    raise CannotRun("there is no cgroup2 mount")


class Machine:
    def __init__(self, files):
        """`files` maps what lies outside to absolute paths inside; folders are copied whole."""
        if os.geteuid() != 0:
            raise CannotRun("it boots a machine in namespaces and so must be root")
        for tool in (*TOOLS, SYSTEMD):
            if shutil.which(tool) is None:
                raise CannotRun(f"{tool} is missing")
        self._group = cgroup_mount() / f"tenure-machine.{os.getpid()}"
        try:
            self._group.mkdir()
        except OSError as error:
            raise CannotRun(f"no cgroup can be made: {error}") from error
        self._work = pathlib.Path(tempfile.mkdtemp(prefix="tenure-machine."))
        self._log = self._work.with_suffix(".log")
        self._launcher = None
        self.pid = None  # of process 1, as seen from outside
        try:
            self._boot([f"{source}={target}" for source, target in files])
        except BaseException:
            self.stop()
            raise

    def _boot(self, copies):
        def enter_group():
            (self._group / "cgroup.procs").write_text(str(os.getpid()))

        with open(self._log, "wb") as log:
            self._launcher = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--net",
                 "--cgroup", "--propagation", "private", "--", sys.executable, "-B", __file__, str(self._work), *copies],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=enter_group)
        children = pathlib.Path(f"/proc/{self._launcher.pid}/task/{self._launcher.pid}/children")

        def is_up():
            if self._launcher.poll() is not None:
                return True
            self.pid = self.pid or int((children.read_text().split() or ["0"])[0]) or None
            return self.pid and self.run("systemctl", "is-system-running", check=False).strip() in ("running", "degraded")

        if not wait_until(is_up) or self._launcher.poll() is not None:
            raise CannotRun("systemd did not start: " + self._log.read_text(errors="replace")[-2000:])

    def run(self, *command, check=True, user=None, group=None):
        """Its standard output, with standard error behind it. Runs as root unless a user is named."""
        inside = ["nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-i", "-n", "-C", "--"]
        if user is not None:
            inside += ["setpriv", f"--reuid={user}", f"--regid={group or user}", "--init-groups"]
        done = subprocess.run([*inside, *map(str, command)], env=ENVIRONMENT, cwd="/", stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
        text = done.stdout.decode(errors="replace")
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, command))}: exit {done.returncode}\n{text}")
        return text

    def exit_of(self, *command):
        inside = ["nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-i", "-n", "-C", "--"]
        return subprocess.run([*inside, *map(str, command)], env=ENVIRONMENT, cwd="/", stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120, check=False).returncode

    def path(self, inside):
        """The same file, for a test outside."""
        return pathlib.Path(f"/proc/{self.pid}/root{inside}")

    def write(self, inside, text, mode=0o644):
        file = self.path(inside)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)

    def stop(self):
        if self._launcher is not None:
            if self.pid is not None and self._launcher.poll() is None:
                os.kill(self.pid, signal.SIGRTMIN + 4)  # systemd: power off
            try:
                self._launcher.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self._launcher.kill()
                self._launcher.wait()
        wait_until(self._remove_groups, 5)
        shutil.rmtree(self._work, ignore_errors=True)
        self._log.unlink(missing_ok=True)

    def _remove_groups(self):
        if not self._group.exists():
            return True
        for folder, _, _ in os.walk(self._group, topdown=False):
            try:
                os.rmdir(folder)
            except OSError:
                return False
        return True


def sh(*command):
    subprocess.run(command, check=True)


def become_systemd(work, copies):
    """Runs as process 1 of the new namespaces."""
    sh("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", work)
    upper, scratch, root = (os.path.join(work, name) for name in ("upper", "scratch", "root"))
    for folder in (upper, scratch, root):
        os.mkdir(folder)
    sh("mount", "-t", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={scratch}", "overlay", root)
    if not os.path.ismount(root):
        sys.exit("no overlay: nothing may be written to the host")
    for kind, options, place in (("proc", "", "proc"), ("sysfs", "ro", "sys"), ("cgroup2", "", "sys/fs/cgroup"),
                                 ("tmpfs", "mode=755,nosuid", "dev"), ("tmpfs", "mode=755", "run"), ("tmpfs", "mode=1777", "tmp")):
        sh("mount", "-t", kind, *(("-o", options) if options else ()), kind, os.path.join(root, place))
    for device in DEVICES:
        place = os.path.join(root, "dev", device)
        open(place, "w", encoding="ascii").close()
        sh("mount", "--bind", f"/dev/{device}", place)
    for folder in ("dev/pts", "dev/shm"):
        os.mkdir(os.path.join(root, folder))
    sh("mount", "-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts", os.path.join(root, "dev/pts"))
    os.symlink("pts/ptmx", os.path.join(root, "dev/ptmx"))  # PrivateDevices= fails without it
    sh("mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", os.path.join(root, "dev/shm"))
    leave_only_the_journal(root)
    for copy in copies:
        source, target = copy.split("=", 1)
        target = root + target
        os.makedirs(os.path.dirname(target), exist_ok=True)
        sh("cp", "-aT", "--no-preserve=ownership", source, target)
    sh("ip", "link", "set", "lo", "up")
    os.mkdir(os.path.join(root, "host"))
    os.chdir(root)
    sh("pivot_root", ".", "host")
    sh("umount", "-l", "/host")
    os.rmdir("/host")
    os.execve(SYSTEMD, [SYSTEMD, "--system", "--unit=multi-user.target", "--log-target=journal", "--show-status=no"],
              {"PATH": ENVIRONMENT["PATH"], "container": "tenure-test"})


def leave_only_the_journal(root):
    """Of the units that the host starts."""
    for folder in ("etc/systemd/system", *(f"lib/systemd/system/{name}" for name in os.listdir(f"{root}/lib/systemd/system")
                                           if name.endswith(".target.wants"))):
        shutil.rmtree(os.path.join(root, folder), ignore_errors=True)
    os.mkdir(os.path.join(root, "etc/systemd/system"))
    for target, unit in (("sysinit", "systemd-journald.service"), ("sockets", "systemd-journald.socket"),
                         ("sockets", "systemd-journald-dev-log.socket")):
        wants = os.path.join(root, "lib/systemd/system", f"{target}.target.wants")
        os.makedirs(wants, exist_ok=True)
        os.symlink(f"../{unit}", os.path.join(wants, unit))
    pathlib.Path(root, "etc/fstab").write_text("")
    machine_id = pathlib.Path(root, "etc/machine-id")
    machine_id.unlink(missing_ok=True)
    machine_id.write_text("0123456789abcdef0123456789abcdef\n")


if __name__ == "__main__":
    become_systemd(sys.argv[1], sys.argv[2:])
