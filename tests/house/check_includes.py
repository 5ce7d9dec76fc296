#!/usr/bin/env python3
"""Whether the #include lines keep to the table of folders in ARCHITECTURE.md, which is read from there."""

import re
from pathlib import Path, PurePosixPath

import tree

TABLE_HEAD = "| folder | what lives there | may include |"
EXCEPTION_HEAD = "| file | includes besides | because |"


def table_rows(text, head):
    """The cells of each row below the head line; empty where there is no such table."""
    lines = text.splitlines()
    if head not in lines:
        return []
    rows = []
    for line in lines[lines.index(head) + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return rows


def names_in(cell):
    return [name.rstrip("/") for name in re.findall(r"`([\w./-]+)`", cell)]


def read_table(text):
    """{folder: set of folders it may include}, from the table. Raises ValueError with what is wrong in it."""
    rows = table_rows(text, TABLE_HEAD)
    if not rows:
        raise ValueError(f"ARCHITECTURE.md: no table with the head {TABLE_HEAD}")
    folders = [name for row in rows for name in names_in(row[0])]
    allowed = {}
    for row in rows:
        words = {"nothing of ours": set(), "-": set(), "all": set(folders), "public headers only": set(folders)}
        may = words.get(row[2])
        if may is None:
            may = {name.strip(" `/") for name in row[2].split(",")}
        unknown = may - set(folders)
        if unknown:
            raise ValueError(f"ARCHITECTURE.md: {row[0]} may include {', '.join(sorted(unknown))}: no such folder")
        for folder in names_in(row[0]):
            allowed[folder] = may
    return allowed


def public_only(text):
    """Folders that may use nothing but public headers: what users have, too."""
    return {name for row in table_rows(text, TABLE_HEAD) if row[2] == "public headers only" for name in names_in(row[0])}


def cycle_in(edges):
    """One cycle as a list of nodes, or nothing. `edges` is {node: collection of nodes}."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node) :] + [node]
        if node in done:
            return None
        path.append(node)
        for target in sorted(edges.get(node, ())):
            found = visit(target)
            if found:
                return found
        done.add(path.pop())
        return None

    for node in sorted(edges):
        found = visit(node)
        if found:
            return found
    return None


def header_index(sources):
    """{"tenure/queue/store.hpp": its file} for every header below an include root."""
    index = {}
    for file in sources:
        parts = file.parts
        if "include" in parts[:-1]:
            index["/".join(parts[parts.index("include") + 1 :])] = file
    return index


def target_of(file, name, quoted, index, known):
    """The file of ours that an include means, or nothing."""
    if quoted:
        near = Path(*_normal((file.parent / name).parts))
        if near in known:
            return near
        # Private headers are named from the folder's src/.
        return next((found for found in known if found.parts[0] == file.parts[0] and "src" in found.parts
                     and found.as_posix().endswith("/src/" + name)), None)
    return index.get(name)


def _normal(parts):
    result = []
    for part in parts:
        if part == "..":
            if result:
                result.pop()
        elif part != ".":
            result.append(part)
    return result


class Reader:
    def __init__(self, root):
        architecture = tree.text_of(root / "ARCHITECTURE.md") if (root / "ARCHITECTURE.md").exists() else ""
        self.allowed = read_table(architecture)
        self.public_only = public_only(architecture)
        self.exceptions = {
            (source, target): False
            for row in table_rows(architecture, EXCEPTION_HEAD)
            for source in names_in(row[0])
            for target in names_in(row[1])
        }
        self.sources = [file for file in tree.files(root, tree.CODE) if len(file.parts) > 1]
        self.known = set(self.sources)
        self.index = header_index(self.sources)
        self.edges = {}
        self.found = []
        for file in self.sources:
            for line, name, quoted in tree.includes_of(tree.text_of(root / file)):
                self.look_at(file, line, name, quoted)

    def say(self, file, line, text):
        self.found.append(f"{file.as_posix()}:{line}: {text}")

    def look_at(self, file, line, name, quoted):
        target = target_of(file, name, quoted, self.index, self.known)
        folder = file.parts[0]
        if target is not None:
            self.edges.setdefault(file.as_posix(), set()).add(target.as_posix())
        if quoted and ".." in PurePosixPath(name).parts and (target is None or target.parts[0] != folder):
            self.say(file, line, f'"{name}" leaves the folder by a relative path; name it as <tenure/...>')
        elif quoted and name.startswith("tenure/"):
            self.say(file, line, f'"{name}" is a public header: write <{name}>')
        elif name.startswith("tenure/") and target is None:
            self.say(file, line, f"<{name}> is no header of ours")
        elif target is not None and target.parts[0] != folder:
            self.look_at_edge(file, line, name, target)

    def look_at_edge(self, file, line, name, target):
        folder, other = file.parts[0], target.parts[0]
        if other in self.allowed.get(folder, ()) and not (folder in self.public_only and "include" not in target.parts):
            return
        if (file.as_posix(), name) in self.exceptions:
            self.exceptions[file.as_posix(), name] = True
            return
        self.say(file, line, f"{folder} may not include {other} (<{name}>): ARCHITECTURE.md has no such edge")


def check_includes(root):
    try:
        reader = Reader(root)
    except ValueError as wrong:
        return [str(wrong)]
    found = reader.found
    for (file, name), used in sorted(reader.exceptions.items()):
        if not used:
            found.append(f"ARCHITECTURE.md: the exception {file} -> {name} is gone from the tree: delete the row")
    folders = {file.parts[0] for file in reader.sources}
    for folder in sorted(folders - set(reader.allowed)):
        found.append(f"ARCHITECTURE.md: the folder {folder}/ has no row in the table")
    for folder in sorted(reader.allowed):
        if not (root / folder).is_dir():
            found.append(f"ARCHITECTURE.md: the table has a row for {folder}/, which does not exist")
    libraries = {folder: may for folder, may in reader.allowed.items() if folder not in may}
    for edges, what in ((libraries, "the table allows a cycle"), (reader.edges, "headers include each other")):
        cycle = cycle_in(edges)
        if cycle:
            found.append(f"{what}: {' -> '.join(cycle)}")
    return found


if __name__ == "__main__":
    tree.main({"includes": check_includes})
