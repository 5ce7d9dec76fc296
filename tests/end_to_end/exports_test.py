#!/usr/bin/env python3
"""The web server of examples/http beside tenured and its worker program: a request enqueues, the job is performed in its process, and what
its handler returned is told to whoever waits for it, and to an operator."""

import argparse
import json
import pathlib
import subprocess
import tempfile
import urllib.error
import urllib.request

CONFIG = """[application]
name = "exports"
[store]
path = "{folder}/control.db"
[tenants]
path = "{folder}/tenants/%{{tenant}}.db"
[[pool]]
name = "general"
program = "{programs}/exports-worker"
queues = ["exports"]
"""
WAIT_MAX = 60  # seconds


def asked(url, body=None):
    try:
        with urllib.request.urlopen(url, data=body, timeout=WAIT_MAX) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, ""


def check(programs, folder, tenure):
    config = str(folder / "tenure.toml")
    with subprocess.Popen([programs / "exports-server", config, "0"], stdout=subprocess.PIPE, text=True) as server:
        try:
            page = server.stdout.readline().strip().replace("TENANT", "acme")
            status, job = asked(page, b"june")
            assert status == 202, f"the enqueue was answered by {status}"
            status, text = asked(f"{page}/{job}?wait")
            assert status == 200, f"the wait was answered by {status}"
            assert json.loads(text) == {"file": f"{job}.csv", "rows": 3}, text
            assert asked(f"{page.replace('acme', 'bolt')}/{job}")[0] == 404, "another tenant has found it"
            shown = json.loads(tenure("job", "show", job, "--json"))["item"]
            assert (shown["state"], shown["result"]) == ("succeeded", json.loads(text)), shown
        finally:
            server.terminate()
    assert server.returncode == 0, f"the server ended with {server.returncode}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", required=True, type=pathlib.Path)
    programs = parser.parse_args().programs.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "tenure.toml").write_text(CONFIG.format(folder=folder, programs=programs))

        def tenure(*words):
            command = [programs / "tenure", "--config", folder / "tenure.toml", *words]
            return subprocess.run(command, capture_output=True, text=True, check=True).stdout

        for tenant in ("acme", "bolt"):
            tenure("tenant", "create", tenant)
        with subprocess.Popen([programs / "tenured", "--config", folder / "tenure.toml"], stderr=subprocess.PIPE, text=True) as daemon:
            try:
                check(programs, folder, tenure)
            finally:
                daemon.terminate()
                log = daemon.stderr.read()
        said = [json.loads(line) for line in log.splitlines() if "job.said" in line]
        assert daemon.returncode == 0, log
        assert [(line["tenant"], line["message"]) for line in said] == [("acme", "exporting june")], log


if __name__ == "__main__":
    main()
