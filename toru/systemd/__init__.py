"""The only users of pystemd, dbus-fast, systemd-python and sdnotify.

wire       unit properties and their D-Bus signatures
transient  makes, starts and stops units, blocking (pystemd): for toru-admin
bus        asks and listens without ever blocking (dbus-fast): for the core and the command line
observe    what systemd says of all plugins, and every change of it
effective  the settings of one unit that are in force
wording    values of properties in the words of a unit file
journal    reads the journal: one plugin's log
runs       what it knows of a plugin's runs
freezer    when a plugin stands still or goes on, as the kernel says
records    reads what systemd and toru-admin wrote to it about plugins, for events
sayings    reads all of it, for what plugins wrote and what was written about them
fields     what stands in an entry of it
activation the sockets that systemd hands over
own_socket the socket that a plugin binds for itself, and no trap in its place
notify     tells systemd, and the journal, how this process is doing
inotify    when files change, as the kernel says
seccomp    what systemd can't lay of the core's sandbox, because it starts the core
"""
