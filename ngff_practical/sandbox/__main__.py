"""The sandbox's own process; started by `ngff_practical.sandbox.start`, which writes its setting to stdin."""

import sys

from ngff_practical.sandbox.server import main

if __name__ == "__main__":
    sys.exit(main(sys.stdin.read()))
