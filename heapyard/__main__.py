"""Run the command line as `python -m heapyard`."""

from __future__ import annotations

import sys

from heapyard.cli import main

sys.exit(main())
