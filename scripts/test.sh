#!/bin/sh
# Every test, browser included, and every check; arguments go to pytest.
set -u
cd "$(dirname "$0")/.."
CHROMIUM=$(.venv/bin/python scripts/chromium.py) || exit 1
export CHROMIUM
tests=0 checks=0
.venv/bin/python -m pytest "$@" || tests=$?
sh scripts/check.sh || checks=$?
[ "$tests" = 0 ] || echo "The tests failed." >&2
exit $((tests ? tests : checks))
