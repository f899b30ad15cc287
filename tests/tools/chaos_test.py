"""Runs tools/chaos without servers: what it lists, skips, keeps and refuses. Needs tests/node_modules."""

import hashlib
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARIES = ("confab", "confab-control", "confab-edge", "confabctl")
ROW = "sqlite-locked"
RUN_LIMIT_S = 60  # A row whose servers end at once, on a busy machine.


class Chaos(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="confab-chaos-")
        self.addCleanup(temporary.cleanup)
        self.results = Path(temporary.name) / "results"
        self.bin = Path(temporary.name) / "bin"
        self.bin.mkdir()
        for name in BINARIES:
            (self.bin / name).write_text(f"no program, but {name}")

    def run_chaos(self, *arguments):
        return subprocess.run(
            [ROOT / "tools/chaos", "--results", self.results, *arguments],
            env={**os.environ, "CONFAB_BIN_DIR": str(self.bin), "TMPDIR": str(self.bin.parent)},
            capture_output=True, text=True, timeout=RUN_LIMIT_S, check=False)

    def plant(self, **changes):
        digest = hashlib.sha256(b"".join((self.bin / n).read_bytes() for n in BINARIES))
        result = {"row": ROW, "ok": True, "error": None, "form": "long", "at": "2026-11-21T10:00:00Z",
                  "figures": [{"name": "longest answer to a send", "value": 2600, "unit": "ms"}],
                  "ledgers": ["ledger: 90 messages sent, 90 acks"],
                  "binaries": digest.hexdigest()[:16], **changes}
        self.results.mkdir()
        (self.results / f"{ROW}.json").write_text(json.dumps(result))

    def test_lists_rows_by_the_beginning_of_their_names(self):
        run = self.run_chaos("--list", "sqlite")
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn(f"{ROW}\n    SQLite: locked", run.stdout)
        self.assertNotIn("postgres", run.stdout)

    def test_does_not_run_again_what_has_passed(self):
        self.plant()
        run = self.run_chaos(ROW)
        self.assertIn("not run again", run.stdout)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_runs_again_what_was_measured_of_other_programs_and_keeps_a_failure(self):
        self.plant(binaries="of another build")
        run = self.run_chaos(ROW)
        self.assertIn(f"{ROW}: FAILED", run.stdout)
        self.assertEqual(run.returncode, 1, run.stderr)
        kept = json.loads((self.results / f"{ROW}.json").read_text())
        self.assertFalse(kept["ok"])
        self.assertIn("ended at its start", (self.results / f"{ROW}.log").read_text())

    def test_shows_what_was_measured(self):
        self.plant()
        run = self.run_chaos("--table", ROW)
        self.assertIn("five zeros over 90 acked messages; longest answer to a send: 2600 ms", run.stdout)
        other = self.run_chaos("--table", "kill-edge")
        self.assertIn("not run", other.stdout)

    def test_refuses_what_it_does_not_know(self):
        for arguments in (["nonsense"], ["--nonsense"], ["--minutes", "soon"]):
            run = self.run_chaos(*arguments)
            self.assertEqual(run.returncode, 2, run.stdout)
            self.assertTrue(run.stderr.startswith("chaos: "), run.stderr)


if __name__ == "__main__":
    unittest.main()
