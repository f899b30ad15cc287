"""Plants each kind of violation and checks that tools/check_layers.py names it."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import check_layers  # noqa: E402

CLASS = "// {name}: what it is.\n// Threads: immutable.\n#pragma once\nclass Thing {{}};\n"


class CheckLayers(unittest.TestCase):
    def found(self, path, text, lists="confab_library(x SOURCES {name})\n"):
        """What is found in a tree that holds this one file."""
        with tempfile.TemporaryDirectory() as root:
            file = Path(root) / path
            file.parent.mkdir(parents=True)
            file.write_text(text)
            if lists:
                (file.parent / "CMakeLists.txt").write_text(lists.format(name=file.name))
            found = check_layers.violations(Path(root))
            return [f"{where}:{line}: {what}" for where, line, what in found]

    def assert_refused(self, path, text, words, **options):
        found = self.found(path, text, **options)
        self.assertEqual(len(found), 1, found)
        self.assertIn(words, found[0])

    def assert_clean(self, path, text):
        self.assertEqual(self.found(path, text), [])

    def test_takes_includes_along_the_route(self):
        for path, header in (
            ("control/room/room.cc", "storage/records.h"),
            ("control/edge_link/attached_edge.cc", "control/dispatch/dispatcher.h"),
            ("control/room/commit_queue.cc", "control/status_reason.h"),
            ("edge/hub/hub.cc", "edge/transport/shared_frame.h"),
            ("edge/edge.cc", "edge/control_link/grpc_control_link.h"),
            ("edge/connection/connection.cc", "confab/v1/client.pb.h"),
            ("storage/sqlite/sqlite_store.cc", "storage/store.h"),
            ("storage/open_store.cc", "storage/postgres/postgres_store.h"),
            ("tools/confab/main.cc", "control/control.h"),
            ("tests/edge/hub_test.cc", "tests/fakes/manual_clock.h"),
        ):
            self.assert_clean(path, f'#include "{header}"\n')

    def test_refuses_includes_against_the_route(self):
        for path, header in (
            ("edge/hub/hub.cc", "control/room/room.h"),
            ("edge/auth/token_verifier.cc", "storage/records.h"),
            ("edge/protocol/engineio_codec.cc", "edge/connection/connection.h"),
            ("edge/control_link/grpc_control_link.cc", "edge/hub/hub.h"),
            ("edge/hub/hub.cc", "edge/transport/websocket_transport.h"),
            ("control/room/room.cc", "control/dispatch/dispatcher.h"),
            ("control/fanout/edge_registry.cc", "control/room/room.h"),
            ("control/dispatch/dispatcher.cc", "edge/hub/hub.h"),
            ("storage/sqlite/sqlite_store.cc", "storage/postgres/postgres_status.h"),
            ("storage/migrator.cc", "control/room/room.h"),
            ("storage/store.h", "proto/reason.h"),
            ("process/log.cc", "storage/store.h"),
            ("control/room/room.cc", "control/control.h"),
        ):
            with self.subTest(path=path, header=header):
                self.assert_refused(path, f'#pragma once\n#include "{header}"\n', "must not include")

    def test_refuses_libraries_away_from_home(self):
        for path, header in (
            ("control/room/commit_queue.cc", "<pqxx/pqxx>"),
            ("storage/postgres/pool.cc", "<sqlite3.h>"),
            ("edge/connection/connection.cc", "<boost/beast/websocket.hpp>"),
            ("edge/hub/hub.cc", "<boost/asio/ip/tcp.hpp>"),
            ("control/room/room_lane.cc", "<grpcpp/grpcpp.h>"),
            ("storage/migrator.cc", "<boost/json.hpp>"),
        ):
            with self.subTest(path=path, header=header):
                self.assertTrue(self.found(path, f"#include {header}\n"))

    def test_refuses_words_of_another_layer(self):
        self.assert_refused("edge/hub/hub.cc", "// checks the Membership\n", "decides nothing")
        self.assert_refused("edge/hub/hub.cc", "bool has_permission = true;\n", "decides nothing")
        self.assert_refused("control/room/room.cc", 'auto q = "SELECT id FROM rooms";\n', "SQL")
        self.assert_refused("control/lane/lane.cc", "absl::Mutex mu_;\n", "std::mutex")
        self.assert_refused("process/log.cc", "end = absl::Now() + limit;\n", "stopwatch")
        self.assert_refused("process/log.h", "#pragma once\nvoid F(absl::string_view);\n", "std type")
        self.assert_refused("tests/edge/hub_test.cc", "TEST(Hub, DISABLED_Delivers) {}\n", "issue")

    def test_keeps_decisions_pure(self):
        self.assert_refused("control/room/room.h", "#pragma once\n#include <thread>\n", "without executor")

    def test_refuses_long_files(self):
        self.assert_clean("edge/hub/hub.cc", "int x;\n" * 500)
        self.assert_refused("edge/hub/hub.cc", "int x;\n" * 501, "limit is 500")

    def test_asks_for_header_comments(self):
        self.assert_clean("edge/hub/hub.h", CLASS.format(name="hub.h"))
        self.assert_refused("edge/hub/hub.h", CLASS.format(name="other.h"), "begins with")
        self.assert_refused("edge/hub/hub.h", "// hub.h: x.\n#pragma once\nclass Hub {};\n", "Threads:")
        self.assert_refused("edge/hub/hub.h", CLASS.format(name="hub.h").replace("#pragma once\n", ""),
                            "#pragma once")

    def test_refuses_filler_names(self):
        self.assert_refused("edge/hub/hub.cc", "class HubManager {\n};\n", "HubManager")
        self.assert_refused("edge/util/x.cc", "int x;\n", "no folder is called")

    def test_wants_every_source_listed(self):
        self.assert_refused("edge/hub/hub.cc", "int x;\n", "no CMakeLists", lists="")
        self.assert_refused("edge/hub/hub.cc", "int x;\n", "not listed", lists="# nothing\n")


if __name__ == "__main__":
    unittest.main()
