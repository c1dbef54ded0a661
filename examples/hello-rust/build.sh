#!/bin/sh
# Puts this plugin into a plugins directory: build.sh DIRECTORY
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$here/../../build/cargo}
export CARGO_TARGET_DIR

# Renamed into place, so that nobody ever sees half a plugin.
place() { # MODE FILE DIRECTORY NAME
    install -m "$1" "$2" "$3/.$4.$$"
    mv "$3/.$4.$$" "$3/$4"
}

cargo build --quiet --release --locked --manifest-path "$here/Cargo.toml"
mkdir -p "$1/hello-rust"
place 644 "$here/bundle.js" "$1/hello-rust" bundle.js
place 755 "$CARGO_TARGET_DIR/release/hello-rust" "$1" hello-rust.binary
