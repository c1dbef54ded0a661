"""Toru: programs on a Linux host as plugins, supervised by systemd and reached from a browser."""

__version__ = "0.1.0"
