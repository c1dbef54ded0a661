"""HTTP: one file a resource.

app       the application, from its parts
edge      what is settled before a request comes to a route
caller    who is behind a request, and may they
peer      who is at the other end of api.sock
problems  every error in one shape

auth      signing in and out
users     users, for admins
tokens    API tokens
kv        a plugin's storage
events    what happened to plugins, for admins
health    whether the core is well
"""
