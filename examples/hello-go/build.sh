#!/bin/sh
# Puts this plugin into a plugins directory: build.sh DIRECTORY
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
mkdir -p "$1/hello-go"
plugins=$(CDPATH='' cd -- "$1" && pwd)
# Without C, so that the file runs on any Linux; without the state of git, which is no business of a build.
(cd "$here" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='-s -w' -o "$plugins/.hello-go.new" .)
install -m 644 "$here/bundle.js" "$plugins/hello-go/bundle.js"
# Renamed into place, so that nobody ever sees half a plugin.
chmod 755 "$plugins/.hello-go.new"
mv "$plugins/.hello-go.new" "$plugins/hello-go.binary"
