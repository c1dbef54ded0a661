#!/bin/sh
# Puts this plugin into a plugins directory: build.sh DIRECTORY
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
PYTHONPATH=$here/../../sdk/python "${PYTHON:-/usr/bin/python3}" -m toru_plugin build --to "$1" \
    "$here/hello.py" "$here/bundle.js"
