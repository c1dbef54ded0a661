"""Everything that makes this Toru, in one file and back; and what the earlier system left, brought over.

in_force    the settings, as the core has them
roots       what belongs to it, and where that lies on the host
walking     reads directories that somebody else may be writing to
archive     makes a backup, while everything runs
about       what a backup says of itself, and whether this release can do anything with it
opening     lays a backup's content down beside what is there, and finds out whether it is whole
swap        puts that in the place of what is there: all of it or nothing, also after a power failure
standstill  stops what writes to it, and starts that again
restore     all of this in its order

earlier     reads the earlier system's database and folder, without writing to them
importing   takes from there what isn't here yet
taking      its rows among them

core_side   the part that is done as the core's user, in a process of its own

For root, who starts it. What the core can write is opened as the core's user alone: whoever took the core over can
lay down there what he likes, and must not gain by it.
"""
