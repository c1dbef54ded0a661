"""The command `toru`.

main       runs a command, and says what went wrong
commands   the commands, as a table
refusals   what the command line refuses by itself
arguments  what several commands take, and the completion of ids
plugins    list, status
wishes     enable, disable, restart
logs       logs
look       reads what there is to know
doctor     doctor; checks: what it looks at
trial      try up, exec, down, list
output     how a command talks to a terminal, to a pipe, to a program
words      what people read, wherever
tables     what people see on a terminal
rows       what programs read
"""
