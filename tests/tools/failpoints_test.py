#!/usr/bin/env python3
"""Failpoints are in test builds and in nothing that is run.

Usage: tests/tools/failpoints_test.py BIN_DIR ON|OFF     ON: the servers in BIN_DIR have them
"""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVERS = ("confab", "confab-control", "confab-edge")
PRESETS_WITH = {"ci", "asan"}
WORDS = (b"CONFAB_FAILPOINTS", b"commit.done")
TIME_LIMIT_S = 60


def presets():
    listed = json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]
    return {preset["name"]: preset for preset in listed}


def cache_variable(name, variable):
    """What the preset says, or else the nearest it inherits from."""
    preset = presets()[name]
    if variable in preset.get("cacheVariables", {}):
        return preset["cacheVariables"][variable]
    return cache_variable(preset["inherits"], variable) if "inherits" in preset else None


def words_in(binary):
    data = binary.read_bytes()
    return [word for word in WORDS if word in data]


class Failpoints(unittest.TestCase):
    bin_dir = None
    is_on = False

    def test_are_in_these_presets_alone(self):
        self.assertEqual({name for name in presets()
                          if cache_variable(name, "CONFAB_FAILPOINTS") == "ON"}, PRESETS_WITH)
        self.assertEqual(cache_variable("release", "CONFAB_FAILPOINTS"), "OFF")
        self.assertRegex((ROOT / "CMakeLists.txt").read_text(),
                         r'option\(CONFAB_FAILPOINTS "[^"]*" OFF\)')

    def test_leave_no_word_in_servers_that_are_built_without(self):
        for name in SERVERS:
            with self.subTest(name):
                self.assertEqual(words_in(self.bin_dir / name), list(WORDS) if self.is_on else [])

    def test_are_not_in_the_release_that_lies_here(self):
        for name in SERVERS:
            binary = ROOT / "build/release/bin" / name
            if binary.exists():
                self.assertEqual(words_in(binary), [], binary)

    def test_refuse_at_the_start_what_they_do_not_know(self):
        if not self.is_on:
            self.skipTest("this build has none")
        for name in ("confab-control", "confab-edge"):
            with self.subTest(name):
                done = subprocess.run(
                    [self.bin_dir / name], capture_output=True, text=True, timeout=TIME_LIMIT_S,
                    env={**os.environ, "CONFAB_FAILPOINTS": "commit.dnoe=kill"}, check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn('there is no point "commit.dnoe", but commit.before', done.stderr)


if __name__ == "__main__":
    Failpoints.bin_dir = Path(sys.argv[1])
    Failpoints.is_on = sys.argv[2] == "ON"
    unittest.main(argv=sys.argv[:1])
