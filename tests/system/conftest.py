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
    assert toru.loaded() == set(), "units were left behind"
