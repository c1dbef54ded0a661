#!/bin/sh
# The first process of a trial's pid namespace: makes the place look like a machine that was just switched on, then
# becomes systemd. What must survive a reboot (/etc, /usr, /var) was mounted before, outside of these namespaces.
# $1 is where the layers are mounted; then the cgroup v1 hierarchies to show, none meaning cgroup v2.
# NOTIFY_SOCKET is where systemd shall say that it is up.
set -eu

# reboot(2) ends this pid namespace only because it is one: never reach it from the machine's own.
[ $$ -eq 1 ] || { echo "not PID 1 of a namespace of its own" >&2; exit 1; }

layers=$1
shift

# A /dev of its own: systemd leaves /dev/log and the like in it.
dev=$layers/dev
mount -t tmpfs -o mode=755,nosuid tmpfs "$dev"
for node in null zero full random urandom tty; do
    : > "$dev/$node"
    mount --bind "/dev/$node" "$dev/$node"
done
mkdir "$dev/pts" "$dev/shm" "$dev/mqueue"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$dev/pts"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$dev/shm"
mount -t mqueue mqueue "$dev/mqueue"
ln -s pts/ptmx "$dev/ptmx"
ln -s /proc/self/fd "$dev/fd"
ln -s fd/0 "$dev/stdin"
ln -s fd/1 "$dev/stdout"
ln -s fd/2 "$dev/stderr"
umount -R --lazy /dev 2> /dev/null || : # not a mount of its own
mount --move "$dev" /dev
umount --lazy "$layers" # served its purpose; the overlays hold what they need of it

mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs /tmp
mkdir -p /run/lock /run/systemd/journal
# journald writes to /var/log/journal from its first line on: there is no late-mounted disk to wait for.
: > /run/systemd/journal/flushed

mount -t proc -o nosuid,nodev,noexec proc /proc
for switch in /proc/sys /proc/sysrq-trigger; do # the machine's kernel is not the trial's to tune
    [ -e "$switch" ] || continue
    mount --bind "$switch" "$switch"
    mount -o remount,bind,ro "$switch"
done
# Each boot has an id of its own, by which the journal tells it from the others.
cat /proc/sys/kernel/random/uuid > /run/boot_id
mount --bind /run/boot_id /proc/sys/kernel/random/boot_id
rm /run/boot_id

umount -R /sys/fs/cgroup
mount -o remount,bind,ro /sys
if [ $# -eq 0 ]; then
    mount -t cgroup2 -o nosuid,nodev,noexec,nsdelegate cgroup2 /sys/fs/cgroup
else
    mount -t tmpfs -o mode=755,nosuid,nodev,noexec tmpfs /sys/fs/cgroup
    mkdir /sys/fs/cgroup/unified
    mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup/unified
    for hierarchy; do
        place=/sys/fs/cgroup/${hierarchy#name=}
        mkdir "$place"
        case $hierarchy in
            name=*) mount -t cgroup -o "nosuid,nodev,noexec,none,$hierarchy" cgroup "$place" ;;
            *) mount -t cgroup -o "nosuid,nodev,noexec,$hierarchy" cgroup "$place" ;;
        esac
        case $hierarchy in # systemd looks for each controller under its own name
            *,*) for controller in $(echo "$hierarchy" | tr , ' '); do ln -s "$hierarchy" "/sys/fs/cgroup/$controller"; done ;;
        esac
    done
    # systemd 256 and newer use v1 only when told so three times. It reads these as a container's "kernel" command line.
    v1='systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=0 SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1'
fi

systemd-tmpfiles --create systemd.conf dbus.conf toru.conf || true # it says what it could not do, and does the rest

# Credentials reach a service by mount propagation. Last, because a shared mount can't be moved.
mount --make-rshared /

cd /
# Root inside may do what Toru and its plugins can need, but not set the machine's clock or load code into its kernel.
# shellcheck disable=SC2086  # several words are meant
exec setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio \
    env -i container=toru-try NOTIFY_SOCKET="$NOTIFY_SOCKET" LANG=C.UTF-8 \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin \
    /usr/lib/systemd/systemd --system --unit=multi-user.target --log-target=journal-or-kmsg --show-status=0 ${v1:-}
