#!/usr/bin/env python3
"""What lies in deploy/ fits the binaries: sample files hold every option with its default, and
units use flags that exist. docs/limits.md knows every limit.

Usage: tests/tools/deploy_test.py BIN_DIR [--write]     --write makes the sample files anew
"""

import os
import re
import subprocess
import sys
from pathlib import Path

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
SAMPLES = {"edge.example.toml": "confab-edge", "control.example.toml": "confab-control"}
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("CONFAB_")}


def printed_config(binary, flags=()):
    done = subprocess.run([binary, *flags, "--print-config"], env=CLEAN, capture_output=True,
                          text=True, timeout=20)
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr


def check_samples(bin_dir, write):
    for name, binary in SAMPLES.items():
        code, text = printed_config(bin_dir / binary)
        if code != 0:
            yield f"{binary} --print-config: exit code {code}: {text}"
        elif write:
            (DEPLOY / name).write_text(text)
        elif not (DEPLOY / name).exists() or (DEPLOY / name).read_text() != text:
            yield f"deploy/{name} is not what {binary} prints: tests/tools/deploy_test.py {bin_dir} --write"


def check_units(bin_dir):
    units = sorted((DEPLOY / "systemd").glob("*.service"))
    if not units:
        yield "deploy/systemd holds no unit"
    for unit in units:
        text = unit.read_text().replace("\\\n", " ")
        command = re.search(r"^ExecStart=(.*)$", text, re.M).group(1).split()
        code, said = printed_config(bin_dir / Path(command[0]).name, command[1:])
        if code != 0:
            yield f"deploy/systemd/{unit.name}: exit code {code}: {said}"


def check_limits():
    """docs/limits.md names each option of the edge's limits."""
    limits = (DEPLOY / "edge.example.toml").read_text().split("# Edge limits\n")[1]
    page = (DEPLOY.parent / "docs" / "limits.md").read_text()
    for option in re.findall(r"^([a-z-]+) = ", limits.split("# Operations\n")[0], re.M):
        if f"`{option}`" not in page:
            yield f"docs/limits.md does not name {option}"


def main():
    bin_dir = Path(sys.argv[1]).resolve()
    faults = [*check_samples(bin_dir, "--write" in sys.argv[2:]), *check_units(bin_dir),
              *check_limits()]
    print("\n".join(faults) or "deploy/ fits the binaries")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
