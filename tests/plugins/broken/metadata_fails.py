#!/usr/bin/python3
"""It ends badly, with what it should have said on stderr."""

import sys

sys.exit("no metadata today")
