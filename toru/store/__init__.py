"""What must survive a restart and isn't systemd's to keep. Knows no HTTP.

engine      the database: connections, transactions
tables      every table
accounts    people, sessions, API tokens, grants
kv          what plugins keep
events      what happened to plugins, and how far the journal has been read for it
together    changes that wait for each other are committed together
upgrading   brings a database to this release's tables, with a copy of it as it was
copies      copies of a SQLite database
migrations  how a database gets from each release's tables to the next one's
"""
