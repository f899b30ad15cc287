#!/usr/bin/env python3
"""Finds co_await expressions that gcc 12 miscompiles.

Usage: tools/check_coawait.py [ROOT]

A temporary made inside the full expression of a co_await may be destroyed twice or too early by
gcc 12 when it is a capturing lambda or a brace-initialised aggregate. So a co_await expression
takes names, std::move(name), literals and constructor calls; the rest gets a name first:

    auto job = [state] { ... };      // instead of   co_await Run([state] { ... });
    co_await Run(std::move(job));

Prints one line per violation and exits 1 if there are any.
"""

import re
import sys
from pathlib import Path

FOLDERS = ["process", "storage", "control", "edge", "tools", "tests"]
# Comments, raw strings, strings and characters: blanked out, lines kept.
NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'", re.S)
# [x], [&], [=, y] that no name, bracket or number precedes: a lambda that captures.
CAPTURE = re.compile(r"(?:^|[^\w\s\])]|\breturn)\s*\[\s*[^\]\s][^\]]*\]")
OPEN, CLOSE = "([{", ")]}"


def blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def expression_from(text, start):
    """The text up to the end of the expression that begins at start."""
    depth = 0
    for at in range(start, len(text)):
        if text[at] in OPEN:
            depth += 1
        elif text[at] in CLOSE:
            depth -= 1
            if depth < 0:
                return text[start:at]
        elif text[at] == ";" and depth == 0:
            return text[start:at]
    return text[start:]


def violations(text):
    code = NOISE.sub(blank, text)
    for found in re.finditer(r"\bco_await\b", code):
        expression = expression_from(code, found.end())
        line = code.count("\n", 0, found.start()) + 1
        if CAPTURE.search(expression):
            yield line, "a capturing lambda inside co_await; name it first and std::move it in"
        elif "{" in expression:
            yield line, "braces inside co_await; give the value a name first"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent)
    count = 0
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cc") and path.is_file():
                for line, what in violations(path.read_text(encoding="utf-8")):
                    print(f"{path.relative_to(root)}:{line}: {what}")
                    count += 1
    if count:
        print(f"check_coawait: {count} violations (gcc 12 destroys such temporaries twice)")
        return 1
    print("check_coawait: no co_await trap of gcc 12")
    return 0


if __name__ == "__main__":
    sys.exit(main())
