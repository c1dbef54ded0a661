"""The command `toru`.

main       runs a command, and says what went wrong
commands   the commands, as a table
refusals   what the command line refuses by itself
arguments  what several commands take
groups     commands that belong together
moments    times on the command line

plugins    list, status, why
wishes     enable, disable, restart, pause, resume, retry
runs       runs
logs       logs
events     events
sandbox    sandbox
host       host, figures
kv         kv list, get, set, delete
tokens     token add, list, revoke
sessions   session list, end
users      user add, list, change …; people: what becomes of it
config     config show, check
doctor     doctor; checks: what it looks at
trial      try up, exec, down, list
completion completion: scripts for bash, zsh and fish

way        the two ways to Toru: by_core and straight
presence   whether the core is up, and knows who is asking
api        asks the core
look       asks systemd

output     how a command talks to a terminal, to a pipe, to a program
words      what people read, wherever
tables     what people see of plugins on a terminal; listings: of everything else
cards      what they see of a run and of a sandbox
rows       what programs read
"""
