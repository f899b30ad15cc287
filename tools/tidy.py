#!/usr/bin/env python3
"""Runs clang-tidy over our sources, in parallel, and remembers what passed.

Usage: tools/tidy.py BUILD_DIR [PATH...]     (tools/lint.sh calls it, after building BUILD_DIR)

A source that passed is not looked at again until it, a header it includes, its compile command,
.clang-tidy or clang-tidy itself changes. The memory lies in $CONFAB_LINT_CACHE, else in the
user's cache folder. Tests are left out: there clang-tidy mostly argues with GoogleTest's macros,
and they would double the time.
"""

import hashlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIDY = "clang-tidy-14"
LIBRARY_UNITS = {"process/asio.cc"}  # Compiles Asio and Beast: not a line of ours.
FOLDERS = ("proto/", "process/", "storage/", "control/", "edge/", "tools/")
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


def key_of(unit, files, hashes, common):
    digest = hashlib.sha256(common)
    # The place of the tree does not matter, so that a fresh clone finds what another one checked.
    digest.update(unit["command"].replace(str(ROOT), "").encode())
    for path in sorted(set(files) | {Path(unit["file"])}):
        digest.update(hashes.of(path).encode())
    return digest.hexdigest()


def check(unit, build):
    run = subprocess.run([TIDY, "--quiet", "-p", str(build), unit["file"]], capture_output=True,
                         text=True, cwd=ROOT, check=False)
    return run.returncode == 0, run.stdout


def main():
    build = Path(sys.argv[1]).resolve()
    wanted = [str((Path.cwd() / path).resolve()) for path in sys.argv[2:]]
    units = {}
    for unit in json.loads((build / "compile_commands.json").read_text()):
        path = Path(unit["file"])
        name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else ""
        if name.startswith(FOLDERS) and name not in LIBRARY_UNITS:
            if not wanted or any(str(path).startswith(start) for start in wanted):
                units[str(path)] = unit
    version = subprocess.run([TIDY, "--version"], check=True, capture_output=True).stdout
    common = version + (ROOT / ".clang-tidy").read_bytes()
    cache, hashes, deps = cache_folder(), Hashes(), dependencies(build)
    cache.mkdir(parents=True, exist_ok=True)
    for marker in cache.iterdir():
        if marker.stat().st_mtime < time.time() - KEEP_DAYS * 86400:
            marker.unlink()

    todo = []
    for path, unit in sorted(units.items()):
        key = key_of(unit, deps.get(unit.get("output", ""), []), hashes, common)
        marker = cache / key
        if marker.exists():
            marker.touch()
        else:
            todo.append((path, unit, marker))
    print(f"tidy: {len(units)} sources, {len(units) - len(todo)} unchanged since they passed",
          flush=True)

    failed = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda item: check(item[1], build), todo)
        for number, ((path, _, marker), (passed, output)) in enumerate(zip(todo, results), 1):
            name = Path(path).relative_to(ROOT)
            print(f"[{number}/{len(todo)}] {name}", flush=True)
            if passed:
                marker.touch()
            else:
                failed.append(str(name))
                print(output, flush=True)
    if failed:
        print(f"tidy: {len(failed)} of {len(units)} sources fail: {' '.join(failed)}")
        return 1
    print("tidy: clang-tidy has no complaint")
    return 0


if __name__ == "__main__":
    sys.exit(main())
