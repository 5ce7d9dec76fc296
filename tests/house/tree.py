"""What the checks of this folder share: the files of the tree, C++ code without comments and strings, exceptions."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

CODE = {".cpp", ".hpp", ".c", ".h"}
NOT_OURS = {".git", "build", "demo", "__pycache__"}

# One token of what is not code. Raw strings first: they may hold quotes and comment signs.
NOT_CODE = re.compile(
    r'R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'|//[^\n]*|/\*.*?\*/",
    re.DOTALL,
)


def files(root, suffixes=None):
    """Every file of the tree, relative to root and in order; only those with one of the suffixes, if any are given. What git
    ignores is not of the tree: programs that were run in it leave logs, databases and sockets."""
    ignored = _ignored(root)
    return sorted(file for file in _walk(root, suffixes) if file.as_posix() not in ignored)


def _ignored(root):
    """Paths below a checkout's root; none where it is no checkout."""
    asked = ["git", "-C", str(root), "ls-files", "--others", "--ignored", "--exclude-standard", "-z"]
    if not (root / ".git").exists():
        return set()
    answer = subprocess.run(asked, capture_output=True, check=False)
    return set(answer.stdout.decode("utf-8", "replace").split("\0"))


def _walk(root, suffixes):
    found = []
    pending = [root]
    while pending:
        for entry in sorted(pending.pop().iterdir()):
            if entry.is_symlink() or entry.name in NOT_OURS:
                continue
            if entry.is_dir():
                if not (entry / "CMakeCache.txt").exists():
                    pending.append(entry)
            elif entry.is_file() and (suffixes is None or entry.suffix in suffixes):
                found.append(entry.relative_to(root))
    return found


def text_of(path):
    """The text of a file; empty for what is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def code_of(text):
    """The C++ text with comments and strings blanked; the lines keep their numbers."""
    return NOT_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def includes_of(text):
    """(line, text between the signs, whether in quotes) of each #include that is no comment."""
    # A string on a line of its own cannot be an include, so only comments have to go.
    bare = re.sub(r"//[^\n]*|/\*.*?\*/", lambda match: re.sub(r"[^\n]", " ", match.group()), text, flags=re.DOTALL)
    for match in re.finditer(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', bare, re.MULTILINE):
        yield line_at(bare, match.start()), match.group(2), match.group(1) == '"'


def line_at(text, offset):
    return text.count("\n", 0, offset) + 1


class Exceptions:
    """Lines `RULE PATH REASON` of exceptions.txt. A path that ends in / stands for all below it."""

    def __init__(self, text):
        self.rows = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                rule, path, reason = (line.split(None, 2) + ["", "", ""])[:3]
                if not reason:
                    raise SystemExit(f"exceptions.txt:{number}: an exception is RULE PATH REASON")
                self.rows.append((rule, path))
        self.used = set()

    def allow(self, rule, path):
        for row in self.rows:
            if row[0] == rule and (path == row[1] or (row[1].endswith("/") and path.startswith(row[1]))):
                self.used.add(row)
                return True
        return False

    def stale(self, rule):
        for row in self.rows:
            if row[0] == rule and row not in self.used:
                yield f"exceptions.txt: {row[0]} {row[1]} excuses nothing any more: delete the line"


def exceptions_of(root):
    path = root / "tests/house/exceptions.txt"
    return Exceptions(text_of(path) if path.exists() else "")


def main(checks):
    """Runs the checks named on the command line (all, if none is) and exits 1 if one of them found something."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("check", nargs="*", choices=[[], *checks], default=[])
    options = parser.parse_args()
    found = [line for name in options.check or checks for line in checks[name](options.root)]
    for line in found:
        print(line)
    print(f"{len(found)} found" if found else "nothing found")
    sys.exit(1 if found else 0)
