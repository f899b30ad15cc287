#!/usr/bin/env bash
# tools/format.sh: formats our C++ as .clang-format says. Only clang-format 14 gives the same
# result everywhere.
#
# Usage: tools/format.sh [--check] [FILE...]     without files: all of ours
#   --check   change nothing, name what is not formatted, exit 1 if anything is
set -euo pipefail
cd "$(dirname "$0")/.."

mode=(-i)
case ${1:-} in
  --check) mode=(--dry-run --Werror); shift ;;
  -h | --help) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
format=$(command -v clang-format-14) || {
  echo "format: clang-format-14 is missing; tools/deps lint installs it" >&2
  exit 1
}
if [ $# -gt 0 ]; then
  files=("$@")
else
  mapfile -t files < <(find process storage control edge proto tools tests -name node_modules -prune \
    -o \( -name '*.h' -o -name '*.cc' \) -print | sort)
fi
if ! printf '%s\0' "${files[@]}" | xargs -0 -r -n 16 -P "$(nproc)" "$format" "${mode[@]}"; then
  echo "format: not formatted as .clang-format says; tools/format.sh puts it right" >&2
  exit 1
fi
[ "${mode[0]}" = -i ] || echo "format: ${#files[@]} files are as .clang-format says"
