from tests.system.conftest import toru

__all__ = ["toru"]
