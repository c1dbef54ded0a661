#!/bin/sh
# Builds every example into a plugins directory: build.sh DIRECTORY
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
mkdir -p "$1"
plugins=$(CDPATH='' cd -- "$1" && pwd)
for build in "$here"/*/build.sh; do
    sh "$build" "$plugins"
done
