"""What the core decides. It knows no HTTP, and of systemd only what toru.systemd offers.

overview   every plugin with its manifest, the operator's wish and systemd's facts
lifecycle  carries wishes to systemd: enable, disable, restart
observer   keeps the overview true, from systemd's signals
pacing     when to restart, and when a plugin has earned a clean slate
"""
