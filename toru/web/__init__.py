"""HTTP: one file a resource.

app     the application
health  whether the core is well
"""
