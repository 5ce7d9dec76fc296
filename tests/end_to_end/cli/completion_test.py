#!/usr/bin/env python3
"""The completion scripts, read by the shells that they are for.

usage: completion_test.py SHELL FOLDER   (FOLDER: what the build has made for share/)
"""
import pathlib
import shlex
import shutil
import subprocess
import sys
import unittest

shell = folder = None

# Bash and zsh read theirs within a function that a terminal calls: the words typed so far are handed over, and zsh's own functions, which
# only a terminal has, print what they are told.
BASH = """
source {script}
COMP_WORDS=({words}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)) COMPREPLY=()
_tenure
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
compadd() {{ print -rl -- "${{@[(i)--]+${{@:$(( ${{@[(i)--]}} + 1 ))}}}}" }}
_describe() {{ local each; for each in "${{(@P)2}}"; do print -r -- "${{each%%:*}}"; done }}
_arguments() {{ print -rl -- "${{@[3,-2]}}"; _tenure_words }}
words=({words}) CURRENT=${{#words}}
source {script}
"""
FISH = "source {script}; complete -C {line}"
SCRIPTS = {"bash": "bash-completion/completions/tenure", "zsh": "zsh/vendor-completions/_tenure",
           "fish": "fish/vendor_completions.d/tenure.fish"}
NO_FILES = {"bash": ["--norc", "--noprofile"], "zsh": ["-f"], "fish": ["--no-config"]}


def offered(*words):
    """What the shell offers for the last word, each by its first word."""
    script = shlex.quote(str(folder / SCRIPTS[shell]))
    text = {"bash": BASH, "zsh": ZSH, "fish": FISH}[shell].format(
        script=script, words=shlex.join(words), line=shlex.quote(" ".join(words)))
    done = subprocess.run([shell, *NO_FILES[shell], "-c", text], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"{shell} {words}: exit {done.returncode}\n{done.stderr}")
    return [line.split("\t")[0] for line in done.stdout.splitlines() if line]


class Completion(unittest.TestCase):
    def offers(self, words, some):
        found = offered("tenure", *words)
        for word in some:
            self.assertTrue(any(each == word or each.startswith((f"{word}[", f"{word}=[")) for each in found), f"{words}: {word} is not in {found}")

    def test_nouns_and_verbs(self):
        self.offers([""], ["job", "tenant", "queue", "store", "config"])
        self.offers(["job", ""], ["list", "count", "show", "retry", "run", "cancel", "discard", "delete"])
        self.offers(["--json", "--store", "copy.db", "config", ""], ["check", "sample"])

    def test_options_of_a_verb(self):
        self.offers(["job", "list", "--"], ["--limit", "--scan", "--json", "--config"])
        self.assertFalse([each for each in offered("tenure", "config", "sample", "--") if each.startswith("--limit")])

    def test_filter_fields_and_keys(self):
        self.offers(["job", "list", ""], ["state=", "kind=", "reason="])
        self.offers(["job", "cancel", ""], ["state=", "kind="])
        self.offers(["queue", "list", ""], ["oldest="])
        self.offers(["config", "explain", ""], ["store.durability", "pool.slots"])

    def test_a_noun_that_there_is_not_has_nothing(self):
        self.assertFalse([each for each in offered("tenure", "jbo", "") if not each.startswith("--")])

    @unittest.skipIf(len(sys.argv) > 1 and sys.argv[1] == "zsh", "its own functions take these apart")
    def test_values(self):
        self.offers(["--color", "a"], ["auto", "always"])
        self.offers(["queue", "list", "--sort", "o"], ["oldest"])
        self.assertEqual(sorted(offered("tenure", "job", "list", "--columns", "id,st")), ["id,started", "id,state"])
        self.assertEqual(offered("tenure", "job", "list", "--limit", ""), [])

    @unittest.skipUnless(len(sys.argv) > 1 and sys.argv[1] == "bash", "only bash takes words apart there")
    def test_words_apart_at_the_equals_sign(self):
        self.assertEqual(offered("tenure", "--color", "=", "al"), ["always"])
        self.assertEqual(offered("tenure", "--color", "=", "always", "job", "l"), ["list"])
        self.assertEqual(offered("tenure", "job", "list", "state", "="), [])
        self.offers(["job", "list", "state", "=", "dead", "ki"], ["kind="])


if __name__ == "__main__":
    shell, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    if shutil.which(shell) is None:
        print(f"not run here: completion for {shell}: {shell} is missing", file=sys.stderr)
        sys.exit(125)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
