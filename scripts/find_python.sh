#!/bin/sh
# Prints the path of the Python to set up with: CPython 3.12 or newer that can make a virtual environment.
# Order: $PYTHON; what .venv was made with; PATH; pyenv's versions. The versions that are tested come first.
set -u

# Answers "VERSION VERDICT PATH" for an interpreter that really runs, nothing otherwise: pyenv puts
# commands on PATH that only say "command not found". Written so that Python 2 understands it too.
# For an environment's own python it names what lies behind, which stays when .venv is built anew.
ask() {
    "$1" -c '
import os, sys
path = sys.executable
if sys.prefix != getattr(sys, "base_prefix", sys.prefix):
    path = os.path.realpath(path)
verdict = "ok"
if sys.version_info[:2] < (3, 12):
    verdict = "old"
elif sys.implementation.name != "cpython" or "t" in sys.abiflags:
    verdict = "build"
else:
    try:
        import ensurepip, venv
    except ImportError:
        verdict = "venv"
print("%d.%d.%d %s %s" % (sys.version_info[:3] + (verdict, path)))
' 2>/dev/null
}

explain() { # VERSION VERDICT NAME
    case $2 in
    old) echo "$3 is Python $1, and 3.12 or newer is needed" ;;
    build) echo "$3 is a special build of Python $1 (free-threaded, or not CPython) that not every package supports" ;;
    venv) echo "$3 is Python $1 without the modules venv and ensurepip; on Debian and Ubuntu: apt install python${1%.*}-venv" ;;
    esac
}

seen=
# Ends the search where the interpreter fits; else remembers why it does not.
try() {
    answer=$(ask "$1") || answer=
    [ -n "$answer" ] || return 0
    version=${answer%% *}
    rest=${answer#* }
    verdict=${rest%% *}
    if [ "$verdict" = ok ]; then
        echo "${rest#* }"
        exit 0
    fi
    seen="$seen
  $(explain "$version" "$verdict" "$1")"
}

if [ -n "${PYTHON:-}" ]; then
    try "$PYTHON"
    if [ -n "$seen" ]; then
        echo "PYTHON=$PYTHON cannot be used:$seen" >&2
    else
        echo "PYTHON=$PYTHON does not run; give the path of a Python 3.12 or newer" >&2
    fi
    exit 1
fi

try .venv/bin/python
for name in python3.13 python3.12 python3 python; do
    try "$name"
done

versions=${PYENV_ROOT:-${HOME:-}/.pyenv}/versions
if [ -d "$versions" ]; then
    newest_first=$(ls "$versions" | grep '^3\.[0-9]' | sort -t . -k 2,2nr -k 3,3nr)
    for pattern in '3\.13' '3\.12' '3\.'; do
        for folder in $(echo "$newest_first" | grep "^$pattern"); do
            try "$versions/$folder/bin/python"
        done
    done
fi

cat >&2 <<END
No Python that fits was found: 3.12 or newer, tested with 3.12 and 3.13.
Looked at python3.13, python3.12, python3 and python on PATH, and at pyenv's versions.$seen
Install one (from python.org, with 'pyenv install 3.13', or on Debian and Ubuntu
'apt install python3.12 python3.12-venv'), or name one: make lab PYTHON=/path/to/python3.13
END
exit 1
