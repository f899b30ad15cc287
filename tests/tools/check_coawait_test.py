"""Plants each trap of gcc 12 and checks that tools/check_coawait.py sees it, and only it."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import check_coawait  # noqa: E402


def lines_of(text):
    return [line for line, _ in check_coawait.violations(text)]


class CheckCoawait(unittest.TestCase):
    def test_sees_a_capturing_lambda(self):
        self.assertEqual(lines_of("\nco_await Run([s] { Use(s); });"), [2])
        self.assertEqual(lines_of("co_await Run(std::function<void()>([&] { Use(s); }));"), [1])
        self.assertEqual(lines_of("co_await co_spawn(ex, [s]() -> awaitable<void> { co_return; },"
                                  " use_awaitable);"), [1])

    def test_sees_an_aggregate_built_in_place(self):
        self.assertEqual(lines_of("co_await Send(Pair{a, b});"), [1])
        self.assertEqual(lines_of("co_await Send(Pair{.a = a,\n .b = b});"), [1])
        self.assertEqual(lines_of("if (auto x = co_await Send({a, b}); x) {}"), [1])

    def test_leaves_alone_what_is_safe(self):
        for text in (
            "co_await Send(std::move(job));",
            'co_await Send(std::string("{[x]}"), buffer[0], 5);',
            "if (co_await Read(stream)) { Use(Pair{a, b}); }",
            "auto job = [s] { Use(s); };\nco_await Run(std::move(job));",
            "// co_await Send(Pair{a, b});",
            "co_await a; b = Pair{1, 2};",
            "co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));",
        ):
            self.assertEqual(lines_of(text), [], text)


if __name__ == "__main__":
    unittest.main()
