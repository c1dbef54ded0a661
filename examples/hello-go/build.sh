#!/bin/sh
# Puts this plugin into a plugins directory: build.sh DIRECTORY
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT

# Renamed into place, so that nobody ever sees half a plugin.
place() { # MODE FILE DIRECTORY NAME
    install -m "$1" "$2" "$3/.$4.$$"
    mv "$3/.$4.$$" "$3/$4"
}

# Without C, so that the file runs on any Linux; without the state of git, which is no business of a build.
(cd "$here" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='-s -w' -o "$built/hello-go" .)
mkdir -p "$1/hello-go"
place 644 "$here/bundle.js" "$1/hello-go" bundle.js
place 755 "$built/hello-go" "$1" hello-go.binary
