"""The SDK stands alone: its own type check, no dependencies, and an older Python than Toru's."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sdk.python.planting import SDK

pytestmark = pytest.mark.req("LANG-1")

FILES = sorted(SDK.rglob("toru_plugin/**/*.py"))


def test_mypy_finds_nothing() -> None:
    ran = subprocess.run([Path(sys.prefix, "bin/mypy")], cwd=SDK, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SDK)))
def test_it_is_python_3_9_and_imports_nothing_but_the_standard_library(file: Path) -> None:
    tree = ast.parse(file.read_text(), feature_version=(3, 9))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {
        name.split(".")[0]
        for node in imports
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [it.name for it in node.names])
    }
    assert names - sys.stdlib_module_names - {"toru_plugin"} == set()
    if imports:
        assert "__future__" in names, "without it an annotation could be of a newer Python"
