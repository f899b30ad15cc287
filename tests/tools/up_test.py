"""Runs tools/up and what it prints, as printed: up_test.py PRESET.

Needs tests/node_modules (npm ci); the snippet's own npm install is left out, so that the test needs
no network.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PRESET = "ci"
START_LIMIT_S = 120  # A debug build under a sanitizer, on a busy machine.
STOP_LIMIT_S = 30


class Up:
    """One run of tools/up; its output, and the snippets in it."""

    def __init__(self, data, *options):
        command = [str(ROOT / "tools/up"), "--data", str(data), "--preset", PRESET, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, start_new_session=True,
                                        env={**os.environ, "CONFAB_SKIP_DEPS": "1"})
        self.output = ""
        timer = threading.Timer(START_LIMIT_S, self.process.kill)
        timer.start()
        ends = 0
        for line in self.process.stdout:
            self.output += line
            ends += line == "--- end ---\n"
            if ends == 3:
                break
        timer.cancel()
        self.drain = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.drain.start()

    def snippet(self, title):
        return re.search(rf"^--- {title}.*? ---\n(.*?)^--- end ---$", self.output, re.S | re.M)[1]

    def stop(self, number):
        self.process.send_signal(number)
        return self.process.wait(STOP_LIMIT_S)


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **options)


class ToolsUp(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="confab-up-")
        self.addCleanup(folder.cleanup)
        self.data = Path(folder.name) / "data"
        self.chat = Path(folder.name) / "chat"
        self.chat.mkdir()
        (self.chat / "node_modules").symlink_to(ROOT / "tests/node_modules")

    def start(self, *options):
        up = Up(self.data, *(options or ("--port", "0")))
        self.addCleanup(lambda: up.process.poll() is None and up.stop(signal.SIGKILL))
        self.addCleanup(self.end_server)
        return up

    def end_server(self):
        """Should a test fail midway: the server must not outlive it."""
        try:
            os.kill(json.loads((self.data / "ready.json").read_text())["pid"], signal.SIGKILL)
        except (OSError, ValueError):
            pass

    def test_prints_snippets_that_work(self):
        up = self.start()
        self.assertIsNone(up.process.poll(), up.output)

        node = re.sub(r"^mkdir .*npm install.*\n", "", up.snippet("Chat from Node"))
        done = run(["bash", "-c", node], cwd=self.chat)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"bob reads #\d+ from Alice: Hello, Bob!")

        # A browser has WebSocket built in; here it comes from the ws package.
        page = ('import WebSocket from "ws";\nglobalThis.WebSocket = WebSocket;\n'
                + up.snippet("Chat from a browser").replace("const socket =", "const socket = globalThis.it =")
                + 'socket.addEventListener("message", (m) => {'
                  ' if (String(m.data).includes("Hello from a browser!")) socket.close(); });\n')
        (self.chat / "page.mjs").write_text(page)
        done = run(["node", "page.mjs"], cwd=self.chat)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn('"content":"Hello from a browser!"', done.stdout)

        done = run(["bash", "-ec", up.snippet("Administer it")], cwd=ROOT)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("Hello, Bob!", done.stdout)

        self.assertEqual(up.stop(signal.SIGTERM), 0)

        again = self.start()
        done = run(["bash", "-ec", again.snippet("Administer it")], cwd=ROOT)
        self.assertIn("Hello from the system!", done.stdout)
        self.assertEqual(again.stop(signal.SIGINT), 0)

    def test_refuses_a_second_server_on_the_same_data(self):
        first = self.start()
        second = self.start()
        self.assertEqual(second.process.wait(STOP_LIMIT_S), 1)
        self.assertIn("runs already", second.output)
        self.assertEqual(first.stop(signal.SIGTERM), 0)

    def test_says_how_to_choose_another_port(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            up = self.start("--port", str(taken.getsockname()[1]))
            self.assertEqual(up.process.wait(STOP_LIMIT_S), 1)
        self.assertIn("choose another: tools/up --port", up.output)


if __name__ == "__main__":
    PRESET = sys.argv.pop(1) if len(sys.argv) > 1 else PRESET
    unittest.main()
