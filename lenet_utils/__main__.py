"""``python -m lenet_utils``: see ``studies/command_line.py``."""

import sys

from lenet_utils.studies.command_line import main

if __name__ == "__main__":
    sys.exit(main())
