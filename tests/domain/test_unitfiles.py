"""What stands in a drop-in, and who put it there."""

import pytest

from toru.domain.ids import PluginId
from toru.domain.unitfiles import Origin, assignments, origin_of

TEXT = """
# a comment
; another
NoSection=1
[Unit]
After = network.target

[Service]
Environment=A=1 \\
# in the middle
  B=two words
ProtectHome=
this line says nothing
CapabilityBoundingSet=CAP_KILL \\
"""


@pytest.mark.req("SEC-4")
def test_lines_are_read_as_systemd_reads_them() -> None:
    assert [(it.section, it.name, it.value) for it in assignments(TEXT)] == [
        ("Unit", "After", "network.target"),
        ("Service", "Environment", "A=1  B=two words"),
        ("Service", "ProtectHome", ""),
        ("Service", "CapabilityBoundingSet", "CAP_KILL"),
    ]


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("/usr/lib/systemd/system/toru-plugin-.service.d/10-sandbox.conf", Origin.TORU),
        ("/run/systemd/system/toru-plugin-web.service.d/20-profile.conf", Origin.PROFILE),
        ("/run/systemd/system/toru-plugin-other.service.d/20-profile.conf", Origin.OPS),
        ("/usr/lib/systemd/system/service.d/10-timeout.conf", Origin.DISTRIBUTION),
        ("/etc/systemd/system/toru-plugin-.service.d/10-sandbox.conf", Origin.OPS),
        ("/etc/systemd/system/toru-plugin-web.service.d/override.conf", Origin.OPS),
        ("/run/systemd/transient/toru-plugin-web.service.d/50-MemoryMax.conf", Origin.OPS),
    ],
)
def test_who_put_a_drop_in_there_is_told_by_its_place(path: str, origin: Origin) -> None:
    assert origin_of(path, PluginId("web")) is origin
