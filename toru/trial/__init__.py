"""`toru try`: a private, real systemd with the units we ship, which leaves nothing behind.

options    what may be asked
machine    what the machine must offer
registry   which trials there are, and the sweep
cgroups    a trial's own cgroups, and the limits they enforce
layers     /etc, /usr and /var of a trial
keeper     the process that holds a trial; boot.sh: the way from its namespace to systemd
trial      a trial from outside: start, run, reboot, stop
commands   up, exec, down and list for people
"""

from toru.trial.cgroups import Enforcement, enforcement
from toru.trial.machine import default_plugins
from toru.trial.options import Options, TrialError
from toru.trial.trial import Trial

__all__ = ["Enforcement", "Options", "Trial", "TrialError", "default_plugins", "enforcement"]
