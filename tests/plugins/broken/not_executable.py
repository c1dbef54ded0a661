#!/usr/bin/python3
"""Nobody may run it."""
