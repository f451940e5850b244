#!/bin/sh
# Brings .venv up to date for `lab`, `test` or `dev`; does nothing where nothing changed.
set -eu
cd "$(dirname "$0")/.."
python=$(sh scripts/find_python.sh)
exec "$python" scripts/set_up.py "$1"
