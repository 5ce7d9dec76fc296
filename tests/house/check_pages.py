#!/usr/bin/env python3
"""Whether pages and sources name only pages that exist, and the decisions are numbered."""

import re

import check_tests
import tree

PAGE = re.compile(r"(?<![\w./-])docs/[\w./-]+\.md\b")
QUOTE = re.compile(r"^<!-- (\S+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRITES_EVENT = re.compile(r"\blog::write\s*\(|\bwritten\s*\(|\bNote\s*\{|\.event\s*=")
EVENT = re.compile(r'"([a-z]+\.[a-z_]+)"')
EVENT_ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
EVENTS_PAGE = "docs/manual/log-events.md"
METRICS_PAGE = "docs/manual/metrics.md"
METRICS_TABLE = "daemon/src/observing/metric_table.hpp"
METRIC = re.compile(r'"(tenure_[a-z_]+)"')
ERRORS_PAGE = "docs/manual/errors.md"
ERRORS_HEADER = "base/include/tenure/base/error.hpp"
ERRORS_TABLE = "base/src/error.cpp"
ERROR_CODE = re.compile(r"^  (\w+) = (\d+),", re.MULTILINE)
ERROR_TYPE = re.compile(r"^using (\w+) = TypedError<ErrorCode::(\w+)>;", re.MULTILINE)
ERROR_NAME = re.compile(r'\brow<ErrorCode::(\w+)>\("(\w+)", k(\w+)\)')
ERROR_ROW = re.compile(r"^\| `(\w+)` \| (\d+) \| (\w+) \|", re.MULTILINE)
ALERTS = "docs/manual/alerts.yml"
ALERT_METRIC = re.compile(r"\b(tenure_[a-z_]+?)(?:_bucket)?\b")
ROW_WITH_ALERT = re.compile(r"^\| `(tenure_[a-z_]+)` \|.*\| (?! *\|$)[^|]+ \|$", re.MULTILINE)
INSIDE_PAGE = "docs/architecture/inside.md"
BEHAVIOUR_ROW = re.compile(r"^\| (.+?) \| `([^`]+)` \| (.+) \|$", re.MULTILINE)
FOLDER_SECTION = re.compile(r"^## `([^`]+)`\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
FILE_ROW = re.compile(r"^\| (`[^|]+`) \|", re.MULTILINE)
PROMISES_PAGE = "docs/manual/promises.md"
SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
HELD_BY = re.compile(r"^\*\*Held by\*\* (.*?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
PROGRAM_TEST = re.compile(r"add_test\(NAME ([\w.]+)")
CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def check_links(root):
    found = []
    for file in tree.files(root, tree.CODE | {".md", ".sql", ".txt", ".cmake", ".py"}):
        path = file.as_posix()
        if path.startswith("tests/house/"):
            continue
        text = tree.text_of(root / file)
        for match in PAGE.finditer(text):
            if not (root / match.group()).is_file():
                found.append(f"{path}:{tree.line_at(text, match.start())}: {match.group()} does not exist")
        if file.suffix == ".md":
            found += _links_to_nowhere(root, file, text)
    return found


def check_installed(root):
    """The links of pages that were installed."""
    return [line for file in tree.files(root, {".md"}) for line in _links_to_nowhere(root, file, tree.text_of(root / file))]


def _links_to_nowhere(root, file, text):
    # A lambda of C++ looks like a link.
    prose = CODE_BLOCK.sub(lambda block: "\n" * block.group().count("\n"), text)
    for match in LINK.finditer(prose):
        target = match.group(1)
        if "://" not in target and not (root / file.parent / target).exists():
            yield f"{file.as_posix()}:{tree.line_at(prose, match.start())}: the link to {target} leads nowhere"


def check_quotes(root):
    """A code block below <!-- FILE --> stands in FILE word for word, so that what pages show is compiled."""
    found = []
    for file in tree.files(root, {".md"}):
        text = tree.text_of(root / file)
        for match in QUOTE.finditer(text):
            source = root / match.group(1)
            if not source.is_file() or match.group(2).strip("\n") not in tree.text_of(source):
                found.append(f"{file.as_posix()}:{tree.line_at(text, match.start())}: not so in {match.group(1)}")
    return found


def check_threads(root):
    """Each thread that the code names is named in ARCHITECTURE.md too."""
    page = tree.text_of(root / "ARCHITECTURE.md")
    found = []
    for file in tree.files(root, {".cpp", ".hpp"}):
        if file.parts[0] in ("tests", "examples", "bench"):
            continue
        text = tree.text_of(root / file)
        for match in re.finditer(r'pthread_setname_np\([^"\n]*"(\w+)"', text):
            if f"`{match.group(1)}`" not in page:
                found.append(f"{file.as_posix()}:{tree.line_at(text, match.start())}: ARCHITECTURE.md lacks the thread {match.group(1)}")
    return found


def _end_of_call(code, start):
    """Behind the bracket that closes the first one from `start` on; of a designated member, its comma."""
    depth = 0
    for at in range(start, len(code)):
        if code[at] in "({[":
            depth += 1
        elif code[at] in ")}]":
            depth -= 1
        if depth < 0 or (depth == 0 and code[at] in ")},;"):
            return at
    return len(code)


def _written_events(root):
    """(file, line, event) of each event of the log that a source names where it writes a line or hands a note on."""
    for file in tree.files(root, {".cpp", ".hpp"}):
        if file.parts[0] in ("tests", "examples", "bench"):
            continue
        text = tree.text_of(root / file)
        code = tree.code_of(text)
        for match in WRITES_EVENT.finditer(code):
            end = _end_of_call(code, match.end() - (code[match.end() - 1] in "({"))
            for event in EVENT.finditer(text, match.start(), end):
                yield file, tree.line_at(text, event.start()), event.group(1)


def check_events(root):
    """The page of the log's events and the sources name the same ones."""
    page = tree.text_of(root / EVENTS_PAGE) if (root / EVENTS_PAGE).is_file() else ""
    rows = {match.group(1): tree.line_at(page, match.start()) for match in EVENT_ROW.finditer(page)}
    written = {event: (file, line) for file, line, event in _written_events(root)}
    found = [f"{file.as_posix()}:{line}: {EVENTS_PAGE} lacks {event}" for event, (file, line) in written.items() if event not in rows]
    found += [f"{EVENTS_PAGE}:{line}: no source writes {event}" for event, line in rows.items() if event not in written]
    return found


def check_metrics(root):
    """The page of metrics and the table of the sources name the same ones."""
    page = tree.text_of(root / METRICS_PAGE) if (root / METRICS_PAGE).is_file() else ""
    table = tree.text_of(root / METRICS_TABLE) if (root / METRICS_TABLE).is_file() else ""
    rows = {match.group(1): tree.line_at(page, match.start()) for match in EVENT_ROW.finditer(page) if match.group(1).startswith("tenure_")}
    declared = {match.group(1): tree.line_at(table, match.start()) for match in METRIC.finditer(table)}
    found = [f"{METRICS_TABLE}:{line}: {METRICS_PAGE} lacks {name}" for name, line in declared.items() if name not in rows]
    found += [f"{METRICS_PAGE}:{line}: no source has {name}" for name, line in rows.items() if name not in declared]
    return found


def check_errors(root):
    """Each error has a number, a type, a name and permanence, and a row of the page, which say the same."""
    header, table, page = (tree.text_of(root / name) if (root / name).is_file() else "" for name in (ERRORS_HEADER, ERRORS_TABLE, ERRORS_PAGE))
    numbers = dict(ERROR_CODE.findall(header))
    types = {code: name for name, code in ERROR_TYPE.findall(header)}
    names = {code: (name, permanence.lower()) for code, name, permanence in ERROR_NAME.findall(table)}
    rows = {match.group(1): match for match in ERROR_ROW.finditer(page)}
    found = []
    for code in sorted(numbers.keys() | types.keys() | names.keys()):
        name, permanence = names.get(code, ("", ""))
        if code not in numbers:
            found.append(f"{ERRORS_HEADER}: there is no ErrorCode::{code}")
        elif not name:
            found.append(f"{ERRORS_TABLE}: lacks {code}")
        elif types.get(code) != name:
            found.append(f"{ERRORS_HEADER}: the type of {code} is {name}, and not {types.get(code, 'none')}")
        elif name not in rows:
            found.append(f"{ERRORS_PAGE}: lacks {name}")
        elif rows[name].groups() != (name, numbers[code], permanence):
            line = tree.line_at(page, rows[name].start())
            found.append(f"{ERRORS_PAGE}:{line}: {name} is {numbers[code]}, {permanence}")
    known = {name for name, _ in names.values()}
    found += [f"{ERRORS_PAGE}:{tree.line_at(page, row.start())}: there is no {name}" for name, row in rows.items() if name not in known]
    return found


def check_alerts(root):
    """Each metric that the page has an alert for has a rule, and each rule is of metrics that there are."""
    page = tree.text_of(root / METRICS_PAGE) if (root / METRICS_PAGE).is_file() else ""
    rules = tree.text_of(root / ALERTS) if (root / ALERTS).is_file() else ""
    watched = {match.group(1) for match in ALERT_METRIC.finditer(rules)}
    known = {match.group(1) for match in EVENT_ROW.finditer(page) if match.group(1).startswith("tenure_")}
    found = [f"{METRICS_PAGE}:{tree.line_at(page, match.start())}: {ALERTS} has no rule for {match.group(1)}" for match in ROW_WITH_ALERT.finditer(page) if match.group(1) not in watched]
    return found + [f"{ALERTS}: no metric is called {name}" for name in sorted(watched - known)]


def check_behaviours(root):
    """The page of what is inside the folders names files that exist, and beside each behaviour functions that its file has."""
    page = tree.text_of(root / INSIDE_PAGE) if (root / INSIDE_PAGE).is_file() else ""
    rows = list(BEHAVIOUR_ROW.finditer(page))
    found = [] if rows else [f"{INSIDE_PAGE}: there is no table of behaviours"]
    for row in rows:
        behaviour, file, functions = row.groups()
        at = f"{INSIDE_PAGE}:{tree.line_at(page, row.start())}: {behaviour}"
        if not (root / file).is_file():
            found.append(f"{at}: there is no {file}")
            continue
        names = re.findall(r"`(\w+)`", functions)
        text = tree.text_of(root / file)
        found += [f"{at}: {file} has no {name}" for name in names if not re.search(rf"\b{name}\b", text)]
        if not names:
            found.append(f"{at}: no function is named")
    for folder, section in (match.groups() for match in FOLDER_SECTION.finditer(page)):
        for name in (name for row in FILE_ROW.finditer(section) for name in re.findall(r"`([^`]+)`", row.group(1))):
            if not any((root / folder / f"{name}{suffix}").is_file() for suffix in (".cpp", ".hpp")):
                found.append(f"{INSIDE_PAGE}: {folder} has no {name}")
    return found


def check_promises(root):
    """Each promise says its limits, how it is held, and by which tests, which are in the tree."""
    page = tree.text_of(root / PROMISES_PAGE) if (root / PROMISES_PAGE).is_file() else ""
    sections = list(SECTION.finditer(page))
    found = [] if sections else [f"{PROMISES_PAGE}: there is no promise"]
    tests = {f"{suite}.{name}" for _, _, suite, name in check_tests.cases(root)}
    for file in tree.files(root, {".txt"}):
        if file.name == "CMakeLists.txt":
            tests.update(PROGRAM_TEST.findall(tree.text_of(root / file)))
    for section in sections:
        promise, text = section.groups()
        at = f"{PROMISES_PAGE}:{tree.line_at(page, section.start())}: {promise}"
        found += [f"{at}: lacks **{part}**" for part in ("Limits.", "How.", "Held by") if f"**{part}**" not in text]
        names = [name for held in HELD_BY.findall(text) for name in re.findall(r"`([^`]+)`", held)]
        found += [f"{at}: there is no test {name}" for name in names if name not in tests]
        if not names:
            found.append(f"{at}: no test is named")
        files = re.findall(r"`(\w[\w.-]*/[\w./-]+\.\w+)`", text)
        found += [f"{at}: there is no {file}" for file in files if not (root / file).is_file()]
    return found


def check_decisions(root):
    """Numbered 0001, 0002, ... without a gap; the title carries the number. 0000 is the template."""
    found = []
    numbers = {}
    for file in sorted((root / "docs/decisions").glob("*.md")) if (root / "docs/decisions").is_dir() else []:
        match = re.fullmatch(r"(\d{4})-[a-z0-9-]+\.md", file.name)
        if not match:
            found.append(f"docs/decisions/{file.name}: a decision is NNNN-words-of-its-title.md")
            continue
        number = int(match.group(1))
        if number in numbers:
            found.append(f"docs/decisions/{file.name}: {match.group(1)} is {numbers[number]} already")
        numbers[number] = file.name
        if number and not tree.text_of(file).startswith(f"# {number}. "):
            found.append(f'docs/decisions/{file.name}: the title begins with "# {number}. "')
    for number in range(1, max(numbers, default=0)):
        if number not in numbers:
            found.append(f"docs/decisions: there is no {number:04}")
    return found


if __name__ == "__main__":
    tree.main({"links": check_links, "installed": check_installed, "quotes": check_quotes, "threads": check_threads, "events": check_events,
               "metrics": check_metrics, "errors": check_errors, "alerts": check_alerts, "behaviours": check_behaviours, "promises": check_promises,
               "decisions": check_decisions})
