"""The settings as the core has them."""

from __future__ import annotations

import os

from toru.domain.errors import SystemdRefused
from toru.domain.policy import Policy
from toru.settings import load_policy
from toru.systemd import transient

CORE = "toru.service"


def policy_in_force() -> Policy:
    """What files say, and over them what the core's unit says in its environment; `InvalidSettings` as ever.

    A backup of the wrong database would be worse than none.
    """
    try:
        with transient.connect() as systemd:
            said = systemd.own_property(CORE, "Environment", "as")
    except SystemdRefused:
        said = []  # a host that is being rescued
    lines = [line.decode(errors="surrogateescape") for line in said]
    of_unit = dict(line.split("=", 1) for line in lines if "=" in line)
    return load_policy(environment={**of_unit, **os.environ})
