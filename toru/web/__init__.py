"""HTTP: one file a resource.

app        the application, from its parts
edge       what is settled before a request comes to a route
caller     who is behind a request, and may they
peer       who is at the other end of api.sock
proxies    what a proxy before Toru says
parameters what stands in the addresses of several resources
answers    JSON answers, made of rows that are JSON already
streams    answers that go on, for as long as who asked may read
problems   every error in one shape

auth       signing in and out
users      users, for admins
tokens     API tokens
plugins    plugins, and what people wish of them
bundles    the front ends of plugins
kv         a plugin's storage
logs       what a plugin wrote, for admins
why        how a plugin's last run ended, for admins
runs       all its runs that the journal remembers, for admins
units      its units as they are in force, and how well its sandbox holds it
events     what happened to plugins, for admins
stream     everything that happens, as it happens
metrics    figures for Prometheus
health     whether the core is well
"""
