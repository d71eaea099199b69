"""``python -m toolrl_env.cli`` is ``toolrl``."""

import sys

from toolrl_env.cli import main

if __name__ == "__main__":
    sys.exit(main())
