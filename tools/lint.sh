#!/usr/bin/env bash
# tools/lint.sh: clang-tidy 14 over our sources with the short list of .clang-tidy; every finding
# is an error. Builds the clang preset first (thread-safety analysis, generated headers).
# What passed is remembered by content (tools/tidy.py), so a second run takes seconds.
#
# Usage: tools/lint.sh [PATH...]     without paths: everything but tests/
set -euo pipefail
case ${1:-} in -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
root=$(cd "$(dirname "$0")/.." && pwd)
command -v clang-tidy-14 >/dev/null || {
  echo "lint: clang-tidy-14 is missing; tools/deps lint installs it" >&2
  exit 1
}
"$root/tools/build" clang
exec python3 "$root/tools/tidy.py" "$root/build/clang" "$@"
