#!/bin/sh
# Puts everything of this folder where systemd, polkit and Toru look for it, and the manual pages: install.sh [DESTDIR]
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
dest=${1:-}
system=$dest/usr/lib/systemd/system

put() { # DIRECTORY FILE…
    directory=$1
    shift
    mkdir -p "$directory"
    install -m 644 "$@" "$directory"
}

put "$system" "$here"/*.socket "$here"/*.service "$here"/*.slice "$here"/*.path "$here"/*.timer
put "$system/toru-plugin-.service.d" "$here"/toru-plugin-.service.d/*.conf
put "$system/toru-hook-@.service.d" "$here"/toru-hook-@.service.d/*.conf
put "$system/toru-webhook@.service.d" "$here"/toru-webhook@.service.d/*.conf
put "$dest/usr/lib/systemd/system-preset" "$here"/system-preset/*.preset
put "$dest/usr/lib/sysusers.d" "$here"/sysusers.d/*.conf
put "$dest/usr/lib/tmpfiles.d" "$here"/tmpfiles.d/*.conf
put "$dest/usr/share/polkit-1/rules.d" "$here"/polkit/*.rules
put "$dest/usr/lib/toru/profiles" "$here"/profiles/*.conf
for page in "$here"/../docs/man/*.[1-8]; do
    [ ! -e "$page" ] || put "$dest/usr/share/man/man${page##*.}" "$page"
done

# A probe runs a program nobody has looked at yet: the plugins' sandbox, and the strict profile over it.
mkdir -p "$system/toru-probe-.service.d"
ln -sf ../toru-plugin-.service.d/10-sandbox.conf "$system/toru-probe-.service.d/10-sandbox.conf"
ln -sf /usr/lib/toru/profiles/strict.conf "$system/toru-probe-.service.d/20-profile.conf"

# The web manager, where it was built (make setup).
www=$here/../build/www
if [ -d "$www" ]; then
    mkdir -p "$dest/usr/share/toru"
    rm -rf "$dest/usr/share/toru/www"
    cp -R "$www" "$dest/usr/share/toru/www"
    chmod -R u=rwX,go=rX "$dest/usr/share/toru/www"
fi
