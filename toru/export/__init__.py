"""Writes what is in the journal of plugins to files, for outside agents: the program of toru-export.service.

lines      what a line looks like
files      the files: one for each plugin and one for Toru, set aside by size
place      how far the journal has been written
exporting  from the journal to the files

Every line carries the cursor of its journal entry. How far all files are is written down now and then; how far each of
them is since then, its own last line says. No two things have to change at the same moment for that, so the program may
be killed between any two of its steps: it finds what is missing, and what is not.
"""
