"""Asks systemd and listens to it without ever blocking (dbus-fast): for the core and the command line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from dbus_fast import BusType, Message, MessageType
from dbus_fast.aio import MessageBus
from dbus_fast.errors import AuthError, DBusError, InvalidAddressError

from toru.domain.errors import SystemdRefused
from toru.systemd import wire

# What a connection that is refused, broken or closed raises; dbus-fast's errors have no parent in common before 5.0.
_LOST = (AuthError, DBusError, EOFError, InvalidAddressError, OSError)

Listener = Callable[[Message], None]

_DBUS = "org.freedesktop.DBus"
PROPERTIES = f"{_DBUS}.Properties"


class Bus:
    """The system bus, as far as systemd is on it."""

    def __init__(self, connection: MessageBus) -> None:
        self._connection = connection
        self._subscribed = False

    async def manage(self, method: str, signature: str = "", *arguments: Any) -> Any:
        """A call to systemd's manager; what it returned."""
        return await self._call(wire.MANAGER_PATH, wire.MANAGER, method, signature, arguments)

    async def properties(self, unit: str, interface: str) -> Mapping[str, Any]:
        """All properties of a unit's interface."""
        found = await self._call(wire.unit_path(unit), PROPERTIES, "GetAll", "s", [interface])
        return {name: variant.value for name, variant in found.items()}

    async def unit_property(self, unit: str, interface: str, name: str) -> Any:
        variant = await self._call(wire.unit_path(unit), PROPERTIES, "Get", "ss", [interface, name])
        return variant.value

    async def version(self) -> int:
        variant = await self._call(wire.MANAGER_PATH, PROPERTIES, "Get", "ss", [wire.MANAGER, "Version"])
        return wire.version_number(variant.value)

    async def job(self, method: str, unit: str, seconds: float) -> str:
        """Has systemd do something with a unit and waits until it is done: the job's result, or "waiting"."""
        loop = asyncio.get_running_loop()
        ended: dict[str, str] = {}
        changed = asyncio.Event()

        def on_signal(message: Message) -> None:
            if message.member == "JobRemoved" and message.interface == wire.MANAGER:
                _number, path, _unit, result = message.body
                ended[path] = result
                changed.set()

        async with self.listening(f"interface='{wire.MANAGER}',member='JobRemoved'", listener=on_signal):
            path = await self.manage(method, "ss", unit, "replace")
            deadline = loop.time() + seconds
            while path not in ended:
                changed.clear()
                try:
                    async with asyncio.timeout_at(deadline):
                        await changed.wait()
                except TimeoutError:
                    return "waiting"
            return ended[path]

    @asynccontextmanager
    async def listening(self, *rules: str, listener: Listener) -> AsyncIterator[None]:
        """Hands the listener each signal of systemd's that these rules match. They hold when the block is entered."""
        await self._subscribe()
        added: list[str] = []
        self._connection.add_message_handler(listener)
        try:
            for rule in rules:
                full = f"type='signal',sender='{wire.SERVICE}',{rule}"
                await self._call_bus("AddMatch", full)
                added.append(full)
            yield
        finally:
            self._connection.remove_message_handler(listener)
            if self._connection.connected:
                for full in added:
                    await self._call_bus("RemoveMatch", full)

    async def lost(self) -> None:
        """Returns when the connection has ended."""
        await self._connection.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast leaves it untyped

    async def _subscribe(self) -> None:
        """Asks systemd for signals: once for a connection, a second time is an error."""
        if not self._subscribed:
            await self.manage("Subscribe")
            self._subscribed = True

    async def _call_bus(self, method: str, rule: str) -> None:
        path = "/org/freedesktop/DBus"
        await self._send(
            Message(destination=_DBUS, path=path, interface=_DBUS, member=method, signature="s", body=[rule])
        )

    async def _call(self, path: str, interface: str, method: str, signature: str, arguments: Sequence[Any]) -> Any:
        return await self._send(
            Message(
                destination=wire.SERVICE,
                path=path,
                interface=interface,
                member=method,
                signature=signature,
                body=list(arguments),
            )
        )

    async def _send(self, message: Message) -> Any:
        try:
            reply = await self._connection.call(message)
        except _LOST as error:
            raise SystemdRefused(f"the system bus is gone: {error}") from error
        if reply is None:
            raise SystemdRefused("the system bus gave no answer")
        if reply.message_type is MessageType.ERROR:
            words = reply.body[0] if reply.body else reply.error_name
            raise SystemdRefused(str(words), error_name=reply.error_name)
        return reply.body[0] if reply.body else None


@asynccontextmanager
async def connect() -> AsyncIterator[Bus]:
    """A connection to the system bus, closed at the end."""
    try:
        connection = await MessageBus(bus_type=BusType.SYSTEM).connect()
    except _LOST as error:
        raise SystemdRefused(f"the system bus can't be reached: {error}") from error
    try:
        yield Bus(connection)
    finally:
        connection.disconnect()
