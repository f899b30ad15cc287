#!/usr/bin/env python3
"""Holds the source tree to its layers: who may include what, and how files are laid out.

Usage: tools/check_layers.py [ROOT]

Prints one line per violation (file:line: what, and what to do) and exits 1 if there are any.
The rules are the tables below; a change of direction is a change of these tables, in a commit
of its own. Run by ctest; tests/tools/check_layers_test.py plants each kind of violation.
"""

import re
import sys
from pathlib import Path

# The half of edge/transport that knows no sockets: the seam, frames, queue, close codes, timers.
EDGE_FRAMES = [f"edge/transport/{name}.h" for name in
               ("transport", "shared_frame", "outbox", "close_reason", "timer_wheel")]

# Which of our folders a folder may include from, beside itself. A folder not named here takes
# the rule of its parent; "a/b.h" allows one header. Direction: left to right along the route.
OURS = {
    "proto": [],
    "process": [],
    "storage": ["process"],
    "storage/sqlite": ["storage", "process"],
    "storage/postgres": ["storage", "process"],
    "control": ["control/api/grpc_address.h", "proto", "process", "storage"],
    "control/lane": ["process"],
    "control/fanout": ["control/lane", "proto", "process"],
    "control/room": ["control/lane", "control/fanout", "proto", "process", "storage"],
    "control/notification": ["control/room", "control/presence", "control/lane", "control/fanout",
                             "proto", "process", "storage"],
    "control/presence": ["control/lane", "control/fanout", "proto", "process", "storage"],
    "control/dispatch": ["control/notification", "control/room", "control/presence", "control/lane", "control/fanout",
                         "proto", "process", "storage"],
    "control/auth": ["proto", "process"],
    "control/api": ["control/auth", "control/dispatch", "control/presence",
                    "control/room/event_message.h", "control/room/audit_trail.h",
                    "control/room/room_change.h", "control/room/uuid7.h", "proto", "process",
                    "storage"],
    "control/edge_link": ["control/api/grpc_status.h", "control/auth", "control/dispatch",
                          "control/fanout", "proto", "process", "storage"],
    "edge": ["proto", "process"],
    "edge/auth": ["proto", "process"],
    "edge/protocol": ["proto", "process"],
    "edge/dialect": ["edge/protocol", "proto", "process"],
    "edge/control_link": ["proto", "process"],
    "edge/recovery": ["proto", "process"],
    "edge/connection": ["edge/protocol", "edge/dialect", "edge/auth", "edge/recovery",
                        "edge/control_link/control_link.h", *EDGE_FRAMES, "proto", "process"],
    "edge/hub": ["edge/connection", "edge/recovery", *EDGE_FRAMES, "edge/dialect",
                 "edge/protocol", "proto", "process"],
    "edge/transport": ["edge/connection", "edge/protocol", "edge/dialect", "edge/auth",
                       "edge/control_link/control_link.h", "proto", "process"],
    # What an HTTP request asks, and the connection it is while it asks.
    "edge/http_api": ["edge/connection", "edge/transport", "edge/protocol", "edge/auth", "proto",
                      "process"],
    "tools": ["proto", "process", "storage", "control", "edge", "tools"],
    "tests": ["proto", "process", "storage", "control", "edge", "tools", "tests"],
}

# Headers of one folder that its subfolders may include although they lie above them: the table
# of reason words, and the options, which are passed down as values.
SHARED = {
    "control": ["control/status_reason.h", "control/control_config.h"],
    "edge": ["edge/edge_config.h"],
}

# Files that connect the parts and therefore see everything of their server.
COMPOSERS = re.compile(
    r"^(control/(main|control)|edge/(main|edge\w*|distributor|io_thread)|storage/open_store)\.(h|cc)$")

# Libraries that are at home in few places: include pattern, homes, why.
HOMES = [
    (r"<(pqxx/|libpq-fe\.h)", r"^(storage/postgres|tests)/", "PostgreSQL is spoken in storage/postgres"),
    (r"<sqlite3\.h>", r"^(storage/sqlite|tests)/", "SQLite is spoken in storage/sqlite"),
    (r"<boost/beast", r"^(edge/transport/|process/(asio|ops_server)\.|tests/|tools/)",
     "Beast lives in edge/transport"),
    # The watchdog shuts down the socket of a database that does not answer, the connection to control
    # that of a control which takes nothing.
    (r"<boost/asio/ip/|<sys/socket\.h>",
     r"^(edge/transport/|process/|storage/postgres/watchdog\.|edge/control_link/control_connection\."
     r"|tests/|tools/)",
     "sockets live in edge/transport"),
    (r"<(grpcpp|grpc)/",
     r"^(edge/control_link/|control/edge_link/|control/api/|control/auth/|control/control\."
     r"|control/status_reason\.|tools/|tests/)",
     "gRPC lives in edge/control_link, control/edge_link, control/api and control.cc"),
    (r"<(google/protobuf|grpcpp|grpc|boost)/|\"confab/v1/", r"^(?!storage/)",
     "storage knows no protobuf, gRPC or Boost"),
]

# Words that betray knowledge a layer must not have: files, word, why.
WORDS = [
    # But for the notice that control gives it of one.
    (r"^edge/", r"(?!(?:has_)?membership\(\))\b\w*(membership|permission)\w*",
     "the edge decides nothing about rooms"),
    (r"^control/", r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|UPDATE\s+\w+\s+SET|DELETE\s+FROM)\b",
     "SQL text stands under storage/ only"),
    (r"^(process|storage|control|edge)/", r"\babsl::Now\(\) *\+",
     "somebody sets the clock: a wait is measured by process/stopwatch.h"),
    (r"^(?!tests/).*\.(h|cc)$", r"\babsl::Mutex\w*", "use std::mutex: ThreadSanitizer cannot see this one"),
    (r"\.h$", r"\babsl::(string_view|optional|variant)\b", "use the std type in interfaces"),
]

# What decides without executor and clock: time is a parameter there.
PURE = {
    "control/room/room.h", "control/room/room.cc", "control/room/permission.h",
    "control/room/permission.cc",
}
IMPURE = re.compile(r"[<\"](control/lane/|thread|mutex|condition_variable|absl/time/clock\.h|boost/asio)")

LINES_LIMIT = 500  # STYLE: 300 asks for a reason, 500 for a split.
SOURCES = {".h", ".cc", ".proto", ".py", ".mjs", ".sh"}
BANNED_FOLDERS = {"common", "util", "utils", "helpers", "misc", "base"}
BANNED_ENDING = re.compile(
    r"^\s*(?:class|struct)\s+(\w+(?:Manager|Helper|Util|Handler|Data|Info|Context|Base|Impl))\b(?!\s*;)")
INCLUDE = re.compile(r"^\s*#\s*include\s*([<\"][^>\"]+[>\"])")
CLASS = re.compile(r"^class\b[^;{]*\{", re.M)


def rule_of(path):
    """The nearest folder upwards that has a rule."""
    folder = path.rsplit("/", 1)[0] if "/" in path else ""
    while folder and folder not in OURS:
        folder = folder.rpartition("/")[0]
    return folder


def may_include(path, header):
    if header.startswith("confab/v1/"):
        header = "proto/" + header
    folder = rule_of(path)
    top = header.split("/", 1)[0]
    if top not in OURS and top not in {"tests", "tools"}:
        return True  # Not ours.
    if not folder:
        return False
    server = folder.split("/", 1)[0]
    if COMPOSERS.match(path) and top == server:
        return True
    if header in SHARED.get(server, []):
        return True
    home = header.rsplit("/", 1)[0]
    if home == folder or home.startswith(folder + "/") and folder not in ("control", "edge", "storage"):
        return True
    for allowed in OURS[folder]:
        if header == allowed or home == allowed:
            return True
        # A name without a folder below it in the table stands for its whole tree.
        if home.startswith(allowed + "/") and allowed not in ("storage",):
            return True
        if allowed == "storage" and folder.split("/")[0] in ("tools", "tests") and top == "storage":
            return True
    return False


def check_source(path, text):
    lines = text.split("\n")
    count = len(lines) - (1 if lines and lines[-1] == "" else 0)
    if count > LINES_LIMIT:
        yield 1, f"{count} lines; the limit is {LINES_LIMIT}: split it along its subjects"
    is_cpp = path.endswith((".h", ".cc"))
    for number, line in enumerate(lines, 1):
        if is_cpp:
            yield from check_include(path, number, line)
            ending = BANNED_ENDING.match(line)
            if ending and not path.startswith("tests/"):
                yield number, f"{ending[1]}: name it by its role, not by a filler word (STYLE: names)"
        for files, word, why in WORDS:
            if is_cpp and re.search(files, path):
                found = re.search(word, line, re.I if "membership" in word else 0)
                if found:
                    yield number, f"'{found[0]}' has no place here: {why}"
        if is_cpp and "DISABLED_" in line and not re.search(r"#\d+", line):
            yield number, "a disabled test names the issue it waits for (// #12)"
    if path.endswith(".h"):
        yield from check_header(path, lines, text)


def check_include(path, number, line):
    include = INCLUDE.match(line)
    if not include:
        return
    target = include[1]
    if target[0] == '"' and not may_include(path, target[1:-1]):
        yield number, f"{rule_of(path) or path} must not include {target} (see OURS in check_layers.py)"
    for pattern, homes, why in HOMES:
        if re.search(pattern, target) and not re.search(homes, path):
            yield number, f"{target} is out of place: {why}"
    if path in PURE and IMPURE.search(target):
        yield number, f"{target}: this file decides without executor or clock"


def check_header(path, lines, text):
    if not any(line.strip() == "#pragma once" for line in lines):
        yield 1, "#pragma once is missing"
    if path.startswith("tests/") or not CLASS.search(text):
        return
    name = path.rsplit("/", 1)[-1]
    if not lines[0].startswith(f"// {name}: "):
        yield 1, f"a header with a class begins with '// {name}: what it is'"
    if not re.search(r"^\s*//.*\bThreads:", text, re.M):
        yield 1, "a header with a class says '// Threads: …' (immutable, confined to, any thread, caller serialises)"


def check_folders(root, paths):
    folders = {}
    for path in paths:
        if path.endswith(".cc"):
            folder, _, name = path.rpartition("/")
            folders.setdefault(folder, []).append(name)
    for folder, names in sorted(folders.items()):
        words = set(folder.split("/")) & BANNED_FOLDERS
        if words:
            yield folder, 1, f"no folder is called {words.pop()}: name it by what it does"
        lists = root / folder / "CMakeLists.txt"
        if not lists.exists():
            yield folder, 1, "has code and no CMakeLists.txt"
            continue
        listed = lists.read_text()
        for name in names:
            if not re.search(rf"(?<![\w/]){re.escape(name)}\b", listed):
                yield f"{folder}/{name}", 1, f"is not listed in {folder}/CMakeLists.txt"


def sources(root):
    for top in sorted(OURS):
        if "/" in top or not (root / top).is_dir():
            continue
        for path in sorted((root / top).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix in SOURCES and path.is_file() and "node_modules/" not in name:
                yield name


def violations(root):
    paths = list(sources(root))
    for path in paths:
        for number, what in check_source(path, (root / path).read_text(encoding="utf-8")):
            yield path, number, what
    yield from check_folders(root, paths)


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    found = list(violations(root))
    for path, number, what in found:
        print(f"{path}:{number}: {what}")
    if found:
        print(f"check_layers: {len(found)} violations")
        return 1
    print("check_layers: the tree keeps its layers")
    return 0


if __name__ == "__main__":
    sys.exit(main())
