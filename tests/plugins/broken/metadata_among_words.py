#!/usr/bin/python3
"""It says something before its metadata."""

from sound_http import Http, main

print("loading the configuration")
main(Http())
