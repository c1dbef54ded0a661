from collections.abc import Iterator

import pytest

from tests.hosts.host import Host
from tests.system.toru import Toru


@pytest.fixture
def toru(host: Host) -> Iterator[Toru]:
    """Toru on a real systemd, without any plugin; and again without any afterwards."""
    toru = Toru(host)
    yield toru
    toru.clean_up()
    left = host.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "toru-plugin-*").stdout
    assert left == "", "units were left behind"
