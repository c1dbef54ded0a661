"""What the core decides. It knows no HTTP, and of systemd only what toru.systemd offers.

overview     every plugin with its manifest, the operator's wish and systemd's facts
plugins      all of them as they are now, in memory
observer     keeps that true, from systemd's signals
sampling     what running plugins use
pacing       when to restart, and when a plugin has earned a clean slate
lifecycle    carries wishes to systemd: enable, disable, restart
wishing      carries out what a person wishes, and returns what has become of it
why          a plugin's runs, and how they ended
inspection   its units as they are in force, which file says so, and what loosens its sandbox

live         what happens, to everybody who watches, as it happens
rows         plugins, files, log lines and events as programs see them
unit_rows    the same for units
logs         which lines of a plugin's log, how many, and from where on
journals     the same for many at once, without keeping the event loop waiting

chronicle    writes down what happens to plugins, each event once
kv           what plugins keep
housekeeping removes old events, and what has expired

accounts     people: signing in, users, API tokens
attempts     how often somebody may try to sign in
passwords    which ones will do, and how they are kept
known        who is behind a token, in memory
first_admin  for a database where nobody can sign in yet
"""
