"""Runs tools/bench on a valgrind and programs that are none: what it counts, compares and refuses."""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
LOADER = importlib.machinery.SourceFileLoader("bench", str(ROOT / "tools/bench"))
bench = importlib.util.module_from_spec(importlib.util.spec_from_loader("bench", LOADER))
sys.dont_write_bytecode = True
sys.modules["bench"] = bench  # Its dataclasses look for themselves there.
LOADER.exec_module(bench)

DUMP = """# callgrind format
version: 1
creator: callgrind-3.19.0
cmd:  ./bench_edge --counted
part: 3

desc: Timerange: Basic block 0 - 29054
desc: Trigger: {trigger}

positions: line
events: Ir
summary: {total}

fn=(536) totals: 7
58 {total}

totals: {total}
"""

# Writes what FAKE_COUNTS says the program costs: {program: [[label, total], …]}.
FAKE_VALGRIND = f"""#!{sys.executable}
import json, os, sys
out = next(a.split("=", 1)[1] for a in sys.argv if a.startswith("--callgrind-out-file="))
program = os.path.basename(next(a for a in sys.argv[1:] if not a.startswith("-")))
print("complains of", program)
assert "--counted" in sys.argv
for part, (label, total) in enumerate(json.loads(os.environ["FAKE_COUNTS"]).get(program, []), 1):
    with open(f"{{out}}.{{part}}", "w") as dump:
        dump.write({DUMP!r}.format(trigger="Client Request: " + label, total=total))
with open(out, "w") as dump:
    dump.write({DUMP!r}.format(trigger="Program termination", total=99))
sys.exit(int(os.environ.get("FAKE_EXIT", 0)))
"""


def counts(deliver=40, permit=25, more=()):
    """Two runs of each benchmark, with 1,000 and 90 instructions of preparing."""
    runs = [[f"hub/deliver/10 {n} 10 delivery", 1_000 + deliver * 10 * n] for n in (200, 400)]
    runs += [[f"{name} {n} 1 thing", 5 * n] for name in more for n in (10, 20)]
    permits = [[f"room/permission {n} 1 question", 90 + permit * n] for n in (50, 100)]
    return {"bench_edge": runs, "bench_control": permits}


class Dumps(unittest.TestCase):
    def parsed(self, trigger, total=5):
        return bench.parse_dump(io.StringIO(DUMP.format(trigger=trigger, total=total)))

    def test_tells_which_run_a_dump_is_of_and_what_it_cost(self):
        run = self.parsed("Client Request: hub/deliver/10 200 10 delivery", 81_000)
        self.assertEqual(run, bench.Run("hub/deliver/10", 200, 10, "delivery", 81_000))

    def test_passes_over_what_lies_between_and_behind_the_runs(self):
        self.assertIsNone(self.parsed("Program termination"))
        self.assertIsNone(self.parsed("Client Request: of somebody else"))
        self.assertIsNone(bench.parse_dump(io.StringIO("Google Benchmark's own words\n")))

    def test_leaves_out_what_does_not_grow_with_the_iterations(self):
        runs = [bench.Run("a", 10, 4, "item", 700 + 10 * 4 * 12),
                bench.Run("a", 20, 4, "item", 700 + 20 * 4 * 12)]
        self.assertEqual(bench.per_operation(runs), {"a": {"per": "item", "instructions": 12.0}})

    def test_refuses_a_benchmark_that_was_not_run_twice(self):
        with self.assertRaisesRegex(bench.Refusal, "a was counted 1 times"):
            bench.per_operation([bench.Run("a", 10, 1, "item", 700)])


class Comparison(unittest.TestCase):
    def verdict(self, old, new):
        return bench.Row("a", "item", old, new).verdict

    def test_says_slower_above_a_tenth(self):
        self.assertEqual(self.verdict(1_000, 1_100), "")
        self.assertEqual(self.verdict(1_000, 1_101), "SLOWER")
        self.assertEqual(self.verdict(1_000, 899), "faster")
        self.assertEqual(self.verdict(1_000, 900), "")

    def test_lets_the_smallest_ones_move_by_an_instruction_or_two(self):
        self.assertEqual(self.verdict(10, 13), "")
        self.assertEqual(self.verdict(10, 14), "SLOWER")

    def test_fails_for_what_is_new_or_gone_and_not_for_what_is_faster(self):
        self.assertTrue(bench.Row("a", "item", None, 5).fails)
        self.assertTrue(bench.Row("a", "item", 5, None).fails)
        self.assertFalse(bench.Row("a", "item", 1_000, 5).fails)

    def test_looks_only_at_what_was_asked_for(self):
        old = {"hub/a": {"per": "x", "instructions": 5}, "room/b": {"per": "x", "instructions": 5}}
        rows = bench.compare(old, {"hub/a": {"per": "x", "instructions": 5}}, ["hub"])
        self.assertEqual([row.name for row in rows], ["hub/a"])

    def test_prints_before_now_and_ratio_in_the_order_of_sizes(self):
        entries = {f"a/{size}": {"per": "item", "instructions": size} for size in (10, 9, 12_345)}
        lines = bench.table(bench.compare(entries, entries, [])).splitlines()
        self.assertEqual([line.split() for line in lines[1:]],
                         [["a/9", "item", "9.0", "9.0", "1.00"],
                          ["a/10", "item", "10.0", "10.0", "1.00"],
                          ["a/12345", "item", "12,345", "12,345", "1.00"]])
        gone = bench.table([bench.Row("a", "item", None, 5.04)]).splitlines()[1]
        self.assertEqual(gone.split(), ["a", "item", "-", "5.0", "-", "NEW"])

    def test_names_what_differs(self):
        self.assertEqual(bench.differences({"libc6": "1", "valgrind": "3"}, {"libc6": "2"}),
                         ["libc6 1, here 2", "valgrind 3, here unknown"])


class WholeRuns(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="confab-bench-test-")
        self.addCleanup(directory.cleanup)
        self.root = Path(directory.name)
        self.build = self.root / "ci"
        self.baseline = self.root / "baseline.json"
        for name in bench.BINARIES:
            self.plant(self.build / "tests" / name, f"#!/bin/sh\necho {name} ran \"$@\"\n")
        self.plant(self.root / "bin/valgrind", FAKE_VALGRIND)
        self.configure()

    def plant(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def configure(self, compiler="12.2.0", kind="RelWithDebInfo"):
        self.plant(self.build / "CMakeCache.txt", f"CMAKE_BUILD_TYPE:STRING={kind}\n"
                   "CMAKE_CXX_FLAGS_RELWITHDEBINFO:STRING=-O2 -g1\n")
        self.plant(self.build / "CMakeFiles/3.25.1/CMakeCXXCompiler.cmake",
                   'set(CMAKE_CXX_COMPILER_ID "GNU")\n'
                   f'set(CMAKE_CXX_COMPILER_VERSION "{compiler}")\n')

    def run_bench(self, *arguments, counted=None, **environment):
        """Its exit code and all it said."""
        said = io.StringIO()
        changed = {"PATH": f"{self.root / 'bin'}:{os.environ['PATH']}",
                   "FAKE_COUNTS": json.dumps(counted or counts()), **environment}
        with mock.patch.dict(os.environ, changed), contextlib.redirect_stdout(said), \
                contextlib.redirect_stderr(said):
            code = bench.main(["--build", str(self.build), "--baseline", str(self.baseline),
                               *arguments])
        return code, said.getvalue()

    def test_holds_a_build_to_the_baseline_that_was_written(self):
        code, said = self.run_bench("--update")
        self.assertEqual(code, 0, said)
        kept = json.loads(self.baseline.read_text())
        self.assertEqual(kept["benchmarks"],
                         {"hub/deliver/10": {"per": "delivery", "instructions": 40.0},
                          "room/permission": {"per": "question", "instructions": 25.0}})
        self.assertEqual(kept["build"]["compiler"], "GNU 12.2.0")
        code, said = self.run_bench("--check")
        self.assertEqual(code, 0, said)
        self.assertIn("nothing takes 10 % more", said)
        code, said = self.run_bench("--check", counted=counts(deliver=45))
        self.assertEqual(code, 1, said)
        self.assertRegex(said, r"hub/deliver/10 +delivery +40\.0 +45\.0 +1\.12 +SLOWER")
        self.assertIn("more than before: hub/deliver/10\n", said)

    def test_fails_for_a_benchmark_without_a_baseline_and_for_one_that_is_gone(self):
        self.run_bench("--update", counted=counts(more=["old/one"]))
        code, said = self.run_bench("--check", counted=counts(more=["new/one"]))
        self.assertEqual(code, 1, said)
        self.assertIn("differ from the baseline's list: new/one, old/one", said)

    def test_compares_nothing_with_the_counts_of_another_compiler(self):
        self.run_bench("--update")
        self.configure(compiler="13.1.0")
        code, said = self.run_bench("--check", counted=counts(deliver=90))
        self.assertEqual(code, 3, said)
        self.assertIn("compiler GNU 12.2.0, here GNU 13.1.0", said)
        self.assertIn("hub/deliver/10", said)

    def test_names_other_packages_and_compares_all_the_same(self):
        self.run_bench("--update")
        kept = json.loads(self.baseline.read_text())
        kept["packages"] = {**kept["packages"], "libc6": "1.0"}
        self.baseline.write_text(json.dumps(kept))
        code, said = self.run_bench("--check")
        self.assertEqual(code, 0, said)
        self.assertIn("other packages: libc6 1.0, here", said)

    def test_says_that_there_is_no_baseline(self):
        code, said = self.run_bench("--check")
        self.assertEqual(code, 3, said)
        self.assertIn("tools/bench --update writes it", said)

    def test_refuses_what_is_not_built_or_not_optimised(self):
        self.configure(kind="Debug")
        code, said = self.run_bench("--check")
        self.assertEqual(code, 2, said)
        self.assertIn("not optimised", said)
        self.configure()
        (self.build / "tests/bench_edge").unlink()
        code, said = self.run_bench("--check")
        self.assertEqual(code, 2, said)
        self.assertIn("tools/build ci bench_edge bench_control", said)

    def test_shows_what_a_program_that_failed_has_said(self):
        code, said = self.run_bench("--check", FAKE_EXIT="1")
        self.assertEqual(code, 2, said)
        self.assertRegex(said, "bench_(edge|control) under callgrind failed:\ncomplains of bench_")

    def test_refuses_a_name_that_nothing_begins_with(self):
        self.run_bench("--update")
        code, said = self.run_bench("--check", "nonsense", counted={"bench_edge": []})
        self.assertEqual(code, 2, said)
        self.assertIn("begins with nonsense", said)

    def test_refuses_arguments_that_do_not_go_together(self):
        for arguments in (["--check", "--update"], ["--update", "hub"], ["--check", "--", "--x"]):
            with self.assertRaises(SystemExit) as refused:
                self.run_bench(*arguments)
            self.assertEqual(refused.exception.code, 2)


if __name__ == "__main__":
    unittest.main()
