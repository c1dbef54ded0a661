"""What runs with privilege: the program toru-admin. Small, quick to start, and one thing at a time.

main       the commands
files      writes that leave the old file or the new one, and locks
wishes     config.json: what the operator wants
probe      runs a file with --metadata, locked down
scan       which files are plugins
lifecycle  enable, disable, up, down
restores   finds out whether one was cut off
units      brings a plugin's units up and takes them down
greet      the first and the last message to a plugin that binds for itself
hooks      follows what happens to plugins, and has hooks told
hookfiles  which hooks there are
telling    tells them
webhook    sends to the webhook
"""
