"""Several processes on one host: the core, and workers that serve some of the plugins.

Exactly one process serves a plugin at a time, so what is promised of plugins holds with nothing shared. A connection
whose next request is for another process goes there whole: its descriptor, and what was read of it.

crew       the core's side: which workers there are
custody    whose plugin is whose
doors      ways from the core to plugins that others serve
worker     a worker's side
process    a worker, from its parts
link       messages and descriptors between two processes
messages   what they say
figures    what was counted since it was last told
changes    that somebody may do less than before, to every process at once
"""
