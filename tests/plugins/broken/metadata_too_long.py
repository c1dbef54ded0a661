#!/usr/bin/python3
"""It prints more than anybody reads."""

import json

from sound_http import METADATA

print(json.dumps(METADATA | {"license": "x" * 100_000}))
