#!/usr/bin/python3
"""It serves, whatever its arguments are."""

import signal

signal.pause()
