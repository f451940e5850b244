"""`python -m ngff_practical` is the command `ngff-practical`."""

import sys

from ngff_practical.cli import main

sys.exit(main())
