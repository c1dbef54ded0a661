"""`toru check`: whether a program keeps the promises of a plugin, found out before anybody installs it.

suite        every check, as a table, and the run through them
verdict      what a check comes to
stage        what checks have: the program, a way to ask it, the time it has
program      starts a program as systemd would, hears what it notifies and writes, ends it
launch       what becomes the program: runs by itself, with the standard library alone

asking       a request and its answer, whatever the protocol; over_http, over_toru1, over_toru2: how they travel

metadata     checks of the file and of what it says with --metadata
life         starting, init, stopping, sleeping, watchdog, logs
requests     requests of every kind, whatever the protocol
faults       clients that leave, and bytes that are no protocol
streams      what toru/2 alone has: versions, credit, cancel, goodbye

Nothing here needs root, or a systemd, or a Toru that runs.
"""
