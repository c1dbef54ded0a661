"""What the core decides. It knows no HTTP, and of systemd only what toru.systemd offers.

overview   every plugin with its manifest, the operator's wish and systemd's facts
lifecycle  carries wishes to systemd: enable, disable, restart
observer   keeps the overview true, from systemd's signals
pacing     when to restart, and when a plugin has earned a clean slate

chronicle    writes down what happens to plugins, each event once
kv           what plugins keep
housekeeping removes old events, and what has expired

accounts     people: signing in, users, API tokens
attempts     how often somebody may try to sign in
passwords    which ones will do, and how they are kept
known        who is behind a token, in memory
first_admin  for a database where nobody can sign in yet
"""
