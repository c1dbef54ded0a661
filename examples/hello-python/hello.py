#!/usr/bin/python3
"""The smallest useful plugin: it greets, and counts how often."""

import os
from itertools import count
from typing import Any

from toru_plugin import Plugin, Request

plugin = Plugin(
    id="hello-python",
    name="Hello from Python",
    version="1.0.0",
    author="The Toru authors",
    icon="🐍",
    route="/hello-python",
    description="The smallest useful plugin: it greets, and counts how often.",
    bundle="bundle.js",
)
greetings = count(1)


@plugin.on_start
def begin() -> None:
    plugin.log.info("serving instance %s", plugin.host.instance_id)


@plugin.get("/")
@plugin.get("/hello")
async def hello(request: Request) -> dict[str, Any]:
    return {"message": "Hello from Python!", "greeted": next(greetings), "user": request.user}


@plugin.get("/about")
async def about(_request: Request) -> dict[str, Any]:
    return {"instance_id": plugin.host.instance_id, "pid": os.getpid()}


@plugin.on_stop
def end() -> None:
    plugin.log.info("goodbye")


if __name__ == "__main__":
    plugin.run()
