"""What must survive a restart and isn't systemd's to keep. Knows no HTTP.

engine      the database: connections, transactions, migrations
tables      every table
accounts    people, sessions, API tokens, grants
migrations  how a database gets from each release's tables to the next one's
"""
