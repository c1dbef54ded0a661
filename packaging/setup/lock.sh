#!/bin/sh
# Writes packaging/lock.txt and packaging/lock-build.txt: every Python package with its version and the hashes of its
# files, for all Pythons that Toru runs on. What is locked stays as it is unless pyproject.toml says otherwise or
# --upgrade is given. Usage: lock.sh [--upgrade]
set -eu
cd "$(dirname "$0")/../.."

# uv, and not pip, because one file has to serve every Python version. It isn't needed for anything else.
uv=build/lock/bin/uv
[ -x "$uv" ] || { /usr/bin/python3 -m venv build/lock && build/lock/bin/pip install --quiet uv; }

resolve() {
    # colorama and pywin32 are wanted on Windows only.
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-emit-package colorama --no-emit-package pywin32 \
        --custom-compile-command "make lock" "$@"
}

resolve --group dev --output-file packaging/lock.txt pyproject.toml "$@"
resolve --group build --constraint packaging/lock.txt --output-file packaging/lock-build.txt "$@"
