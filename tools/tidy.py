#!/usr/bin/env python3
"""Runs clang-tidy over our sources, in parallel, and remembers what passed.

Usage: tools/tidy.py BUILD_DIR [PATH...]     (tools/lint.sh calls it, after building BUILD_DIR)

Sources of one part (edge, control, …) are read together, as units that include up to 14 of them:
most of the time goes into the libraries' headers, which are then read once a group. Sources that
give one name to different things are kept apart; a group that still does not compile is halved.

What passed is not looked at again until a source of the group, a header it includes, the compile
command, .clang-tidy or clang-tidy changes; where the tree lies does not matter. The memory is in
$CONFAB_LINT_CACHE, else in the user's cache folder. Tests are left out: there clang-tidy mostly
argues with GoogleTest's macros, and they would double the time.
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIDY = "clang-tidy-14"
LIBRARY_UNITS = {"process/asio.cc"}  # Compiles Asio and Beast: not a line of ours.
FOLDERS = ("proto/", "process/", "storage/", "control/", "edge/", "tools/")
# Of ours, headers and the sources that a group includes.
HEADERS = r"/(process|storage|control|edge|tools|proto)/[^/]*(/[^/]*)*\.(h|cc)$"
GROUP_LIMIT = 14  # Beyond it one long group would hold up the others.
KEEP_DAYS = 30  # A marker that old belongs to a branch long gone.


def cache_folder():
    named = os.environ.get("CONFAB_LINT_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("HOME", "/tmp") + "/.cache")
    return Path(base) / "confab-lint"


def dependencies(build):
    """Object file -> files it was made from, as ninja recorded them; only those that can change."""
    text = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], check=True,
                          capture_output=True, text=True).stdout
    found, name = {}, None
    for line in text.splitlines():
        if line and not line.startswith(" "):
            name = line.split(":", 1)[0]
            found[name] = []
        elif name and line.strip() and not line.strip().startswith("/usr/"):
            found[name].append((build / line.strip()).resolve())
    return found


class Hashes:
    """Content hashes of files, each read once."""

    def __init__(self):
        self.known = {}

    def of(self, path):
        if path not in self.known:
            self.known[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        return self.known[path]


def flags_of(units):
    """The options of all units together, so that any sources can be read as one."""
    flags = {}
    for unit in units:
        words = shlex.split(unit["command"])
        words = words[next(i for i, word in enumerate(words) if "clang++" in word) + 1:]
        while words:
            # Options whose argument is a word of its own.
            size = 2 if words[0] in ("-isystem", "-o") else 1
            if words[0] not in ("-o", "-c", "-fPIE", unit["file"]):
                flags[tuple(words[:size])] = None
            words = words[size:]
    return [word for option in flags for word in option]


# What a line at the left edge defines or declares: the last name before ( = { [ ; or :
DEFINED = re.compile(r"(\w+)\s*(?:\(|=|\{|\[|;|:(?!:)|$)")


def local_names(path):
    """Names an unnamed namespace of the source may hold; too many rather than too few."""
    names, inside = {"main"} if path.name == "main.cc" else set(), False
    for line in path.read_text().splitlines():
        if line.startswith("namespace {"):
            inside = True
        elif line.startswith("}  // namespace"):
            inside = False
        elif inside and line[:1].isalpha() and not line.startswith("using "):
            found = DEFINED.search(line)
            if found:
                names.add(found.group(1))
    return names


class Group:
    """Sources that are read as one."""

    def __init__(self, folder):
        self.folder = folder
        self.sources, self.names, self.files = [], set(), set()

    def add(self, source, names, files):
        self.sources.append(source)
        self.names |= names
        self.files |= files

    def key(self, hashes, common):
        digest = hashlib.sha256(common)
        for path in sorted(self.files):
            # The place of the tree does not matter, so that a clone finds what another checked.
            digest.update(str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path).encode())
            digest.update(hashes.of(path).encode())
        return digest.hexdigest()


def groups_of(units, deps):
    groups = {}
    for path, unit in sorted(units.items()):
        source = Path(path)
        names = local_names(source)
        files = set(deps.get(unit.get("output", ""), [])) | {source}
        folder = source.relative_to(ROOT).parts[0]
        fitting = groups.setdefault(folder, [])
        group = next((one for one in fitting
                      if not one.names & names and len(one.sources) < GROUP_LIMIT), None)
        if group is None:
            group = Group(folder)
            fitting.append(group)
        group.add(source, names, files)
    return [group for fitting in groups.values() for group in fitting]


def check(sources, flags, place):
    """Whether clang-tidy has nothing to say, and what it said."""
    text = "".join(f'#include "{source.relative_to(ROOT)}"\n' for source in sources)
    unit = place / (hashlib.sha256(text.encode()).hexdigest()[:16] + ".cc")
    unit.write_text(text)
    run = subprocess.run([TIDY, "--quiet", f"--header-filter={HEADERS}", str(unit), "--", *flags],
                         capture_output=True, text=True, cwd=place.parent, check=False)
    if len(sources) > 1 and "[clang-diagnostic-error]" in run.stdout:
        half = len(sources) // 2
        parts = [check(sources[:half], flags, place), check(sources[half:], flags, place)]
        return all(passed for passed, _ in parts), "".join(output for _, output in parts)
    return run.returncode == 0, run.stdout


def main():
    build = Path(sys.argv[1]).resolve()
    wanted = [str((Path.cwd() / path).resolve()) for path in sys.argv[2:]]
    everything = json.loads((build / "compile_commands.json").read_text())
    units = {}
    for unit in everything:
        path = Path(unit["file"])
        name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else ""
        if name.startswith(FOLDERS) and name not in LIBRARY_UNITS:
            if not wanted or any(str(path).startswith(start) for start in wanted):
                units[str(path)] = unit
    version = subprocess.run([TIDY, "--version"], check=True, capture_output=True).stdout
    flags = flags_of(everything)
    common = b"".join([version, (ROOT / ".clang-tidy").read_bytes(), HEADERS.encode(),
                       " ".join(flags).replace(str(ROOT), "").encode()])
    cache, hashes = cache_folder(), Hashes()
    cache.mkdir(parents=True, exist_ok=True)
    for marker in cache.iterdir():
        if marker.stat().st_mtime < time.time() - KEEP_DAYS * 86400:
            marker.unlink()
    place = build / "tidy"
    place.mkdir(exist_ok=True)

    todo, known = [], 0
    for group in groups_of(units, dependencies(build)):
        marker = cache / group.key(hashes, common)
        if marker.exists():
            marker.touch()
            known += len(group.sources)
        else:
            todo.append((group, marker))
    todo.sort(key=lambda item: -len(item[0].sources))  # The long ones first.
    print(f"tidy: {len(units)} sources, {known} unchanged since they passed", flush=True)

    failed = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {pool.submit(check, group.sources, flags, place): (group, marker)
                for group, marker in todo}
        for number, run in enumerate(as_completed(runs), 1):
            (group, marker), (passed, output) = runs[run], run.result()
            print(f"[{number}/{len(todo)}] {group.folder}: {len(group.sources)} sources", flush=True)
            if passed:
                marker.touch()
            else:
                failed.append(str(group.folder))
                print(output, flush=True)
    if failed:
        print(f"tidy: findings in {' '.join(sorted(set(failed)))}")
        return 1
    print("tidy: clang-tidy has no complaint")
    return 0


if __name__ == "__main__":
    sys.exit(main())
