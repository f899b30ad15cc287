"""Runs tools/chaos without servers: what it lists, skips, keeps, reports and refuses.

Needs tests/node_modules (npm ci).
"""

import hashlib
import json
import os
import pty
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

    def command(self, *arguments):
        return {"args": [ROOT / "tools/chaos", "--results", self.results, *arguments],
                "env": {**os.environ, "CONFAB_BIN_DIR": str(self.bin),
                        "TMPDIR": str(self.bin.parent)}}

    def run_chaos(self, *arguments):
        return subprocess.run(**self.command(*arguments), capture_output=True, text=True,
                              timeout=RUN_LIMIT_S, check=False)

    def run_in_terminal(self, *arguments):
        ours, theirs = pty.openpty()
        with subprocess.Popen(**self.command(*arguments), stdin=subprocess.DEVNULL,
                              stdout=theirs, stderr=theirs):
            os.close(theirs)
            shown = b""
            while True:
                try:
                    data = os.read(ours, 4096)
                except OSError:  # How Linux says that nobody is left to write.
                    break
                shown += data
        os.close(ours)
        return shown.decode()

    def plant(self, **changes):
        digest = hashlib.sha256(b"".join((self.bin / n).read_bytes() for n in BINARIES))
        result = {"row": ROW, "ok": True, "error": None, "form": "long",
                  "at": "2026-11-21T10:00:00Z",
                  "figures": [{"name": "longest answer to a send", "value": 2600, "unit": "ms",
                               "atMost": 4000}],
                  "ledgers": ["ledger: 90 messages sent, 90 acks"],
                  "binaries": digest.hexdigest()[:16], "machine": "2 cores, 8 GiB, Linux 6.1.0",
                  "seconds": 41, **changes}
        self.results.mkdir(exist_ok=True)
        (self.results / f"{result['row']}.json").write_text(json.dumps(result))

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

    def test_ends_with_a_table_of_all_rows_asked_for(self):
        self.plant()
        run = self.run_chaos(ROW)
        self.assertRegex(run.stdout, rf"{ROW} +holds +41 s +longest answer to a send: 2600 ms "
                                     r"\(at most 4000\)\nall rows hold\n$")

    def test_reports_into_a_document_and_leaves_the_rest_of_it(self):
        self.plant()
        document = self.results.parent / "document.md"
        document.write_text("# Title\n\nWords.\n")
        for _ in range(2):  # The second time it replaces what the first has written.
            run = self.run_chaos("--report", document, ROW)
            self.assertEqual(run.returncode, 0, run.stderr)
        text = document.read_text()
        self.assertTrue(text.startswith("# Title\n\nWords.\n\n## Measured\n"), text)
        self.assertEqual(text.count("## Measured"), 1)
        self.assertIn("on 2 cores", text)
        measured = ("| five zeros over 90 acked messages; longest answer to a send: 2600 ms "
                    "(at most 4000) |\n")
        self.assertTrue(text.endswith(measured), text)
        document.write_text(text.replace("2600", "9999") + "\n## Behind it\n")
        self.run_chaos("--report", document, ROW)
        self.assertEqual(document.read_text(), text + "\n## Behind it\n")

    def test_leaves_out_rows_whose_needs_are_not_met(self):
        self.plant(row="die-before-broadcast")
        run = self.run_chaos("die-after-commit", "die-before-broadcast")
        self.assertIn("die-after-commit: needs servers with failpoints: tools/build ci; not run",
                      run.stdout)
        self.assertIn("die-before-broadcast: passed", run.stdout)
        self.assertEqual(run.returncode, 3, run.stderr)

    def test_says_in_a_terminal_alone_how_a_row_goes_on(self):
        shown = self.run_in_terminal(ROW)
        self.assertIn("    0:00 ", shown)
        self.assertRegex(shown, rf"\r\x1b\[K\[1/1\] {ROW}: FAILED")
        elsewhere = self.run_chaos(ROW)
        self.assertIn(f"{ROW}: FAILED", elsewhere.stdout)
        self.assertNotIn("0:00", elsewhere.stdout)

    def test_begins_no_row_that_takes_longer_than_there_is_time(self):
        run = self.run_chaos("soak", "--minutes", "30")
        self.assertIn("soak: left for lack of time", run.stdout)
        self.assertEqual(run.returncode, 3, run.stderr)

    def test_says_in_the_report_what_was_a_short_form(self):
        document = self.results.parent / "document.md"
        document.write_text("# Title\n")
        self.plant(form="short")
        self.run_chaos("--report", document, ROW)
        self.assertIn("| in the short form; five zeros", document.read_text())

    def test_reports_of_two_builds_where_rows_with_failpoints_need_another(self):
        document = self.results.parent / "document.md"
        document.write_text("# Title\n")
        self.plant()
        self.plant(row="die-after-commit", binaries="of the build with failpoints")
        run = self.run_chaos("--report", document)
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_reports_nothing_where_there_is_nothing_and_no_mixture_of_builds(self):
        document = self.results.parent / "document.md"
        document.write_text("# Title\n")
        self.assertIn("no results", self.run_chaos("--report", document).stderr)
        self.plant()
        self.plant(row="kill-edge", binaries="of another build")
        self.assertIn("several builds", self.run_chaos("--report", document).stderr)
        self.assertEqual(document.read_text(), "# Title\n")

    def test_refuses_what_it_does_not_know(self):
        for arguments in (["nonsense"], ["--nonsense"], ["--minutes", "soon"]):
            run = self.run_chaos(*arguments)
            self.assertEqual(run.returncode, 2, run.stdout)
            self.assertTrue(run.stderr.startswith("chaos: "), run.stderr)


if __name__ == "__main__":
    unittest.main()
