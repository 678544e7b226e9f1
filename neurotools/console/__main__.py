"""``python -m neurotools.console``: the command, where it is not on the path."""

import sys

from neurotools.console.main import main

sys.exit(main())
