#!/bin/sh
# enter.sh DIRECTORY... -- COMMAND...
# Moves itself into the cgroup directories and becomes the command.
set -e
while [ "$1" != -- ]; do
    echo 0 > "$1/cgroup.procs"
    shift
done
shift
exec "$@"
