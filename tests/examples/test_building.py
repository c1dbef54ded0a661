"""The build scripts that put a plugin in place by themselves. The others leave it to the SDK."""

import subprocess
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.req("LANG-1", "LANG-2")
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("example", ["hello-go", "hello-rust"])
def test_built_by_several_at_once_it_is_whole_and_nothing_else_is_left(tmp_path: Path, example: str) -> None:
    build = ["sh", str(EXAMPLES / example / "build.sh"), str(tmp_path)]
    subprocess.run(build, check=True)
    builds = [subprocess.Popen(build, stderr=subprocess.PIPE, text=True) for _ in range(8)]
    assert [(build.communicate()[1], build.returncode) for build in builds] == [("", 0)] * 8
    assert sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*")) == [
        example, f"{example}.binary", f"{example}/bundle.js"
    ]  # fmt: skip
    assert subprocess.run([tmp_path / f"{example}.binary", "--metadata"], check=True, capture_output=True).stdout
