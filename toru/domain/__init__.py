"""What Toru knows and decides: values and pure functions, no I/O.

ids        a plugin's id and every unit name that follows from it
manifest   what a plugin says of itself
policy     what ops decided about restarts, limits and sandboxes
units      the two units of a plugin as one value
unitfiles  what stands in drop-ins, and who put them there
sandbox    how well a plugin is sandboxed, by what is in force
state      what systemd reports, in one word a person understands
catalogue  which files are plugins, and why the others are not
events     what happened to plugins, told from journal entries
hooks      whom to tell of that, and how
rationing  and how much of it
loglines   what a line says that a plugin wrote
levels     how urgent it is
people     who may ask for what
quantities amounts of memory, tasks and processor time
wishes     which plugins the operator wants
frames     toru/1 and toru/2 messages on the wire
places     where things lie on the host
errors     everything that can go wrong, with a code
"""
