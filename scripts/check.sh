#!/bin/sh
# Style, types and the layers of the package; every check runs, also after one that failed.
set -u
cd "$(dirname "$0")/.."
failed=
check() { # NAME COMMAND...
    name=$1
    shift
    if words=$("$@" 2>&1); then
        echo "$name: ok"
    else
        failed="$failed $name"
        printf '%s: failed\n%s\n' "$name" "$words"
    fi
}
check style .venv/bin/ruff check --quiet .
check format .venv/bin/ruff format --check --quiet .
check types .venv/bin/mypy
check layers .venv/bin/lint-imports --no-logo
[ -z "$failed" ] || { echo "Failed:$failed" >&2; exit 1; }
