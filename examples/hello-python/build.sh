#!/bin/sh
# Puts this plugin into a plugins directory: build.sh DIRECTORY
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
mkdir -p "$1/hello-python"
install -m 644 "$here/bundle.js" "$1/hello-python/bundle.js"
# Renamed into place, so that nobody ever sees half a plugin.
install -m 755 "$here/hello.py" "$1/.hello-python.new"
mv "$1/.hello-python.new" "$1/hello-python.binary"
