"""`python -m offhand` is the command line."""

import sys

from offhand.cli import main

sys.exit(main())
