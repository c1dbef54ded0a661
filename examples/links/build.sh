#!/bin/sh
# Puts this plugin into a plugins directory, with FastAPI in it: build.sh DIRECTORY
# WITH='' leaves FastAPI out, for hosts that have it (Debian's package python3-fastapi).
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# One that has FastAPI: this tree's own, where it is set up.
python=$here/../../.venv/bin/python
[ -x "$python" ] || python=/usr/bin/python3
# shellcheck disable=SC2086 # a list of options
PYTHONPATH=$here/../../sdk/python "${PYTHON:-$python}" -m toru_plugin build --to "$1" ${WITH-'--with=fastapi'} \
    "$here/links.py" "$here/bundle.js"
