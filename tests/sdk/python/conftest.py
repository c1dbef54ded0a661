from tests.sdk.python.planting import planted
from tests.system.conftest import toru

__all__ = ["planted", "toru"]
