"""A plugin's units as they are in force, and how well its sandbox holds it."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from toru.core.inspection import Inspector
from toru.core.plugins import Plugins
from toru.core.unit_rows import units_document
from toru.domain.manifest import Sandbox
from toru.domain.sandbox import Grade, Weight
from toru.domain.unitfiles import Origin
from toru.systemd.effective import Kind
from toru.web.answers import json_answer
from toru.web.caller import AnyCaller
from toru.web.parameters import IdInPath
from toru.web.plugins import check_may_see


class SettingRow(BaseModel):
    """A setting as it is in force, in the words of a unit file."""

    name: str
    value: str
    kind: Kind
    set_by: str | None = Field(
        description="the file that says so last; null: systemd's default, or it follows from another setting"
    )
    origin: Origin | None = Field(description="who put that file there, where it is a drop-in")

    model_config = ConfigDict(extra="forbid")


class SettingGroup(BaseModel):
    name: Literal["sandbox", "limits", "restart", "identity", "socket"]
    settings: list[SettingRow]

    model_config = ConfigDict(extra="forbid")


class AssignmentRow(BaseModel):
    """A line of a drop-in. The value is null where it might be a secret."""

    section: str
    name: str
    value: str | None
    in_force: bool = Field(
        description="it counts: no later file speaks of this setting, and no other setting keeps it as it is"
    )

    model_config = ConfigDict(extra="forbid")


class DropInRow(BaseModel):
    """A file that is laid over a unit."""

    path: str
    origin: Origin
    target: str | None = Field(description="where it leads, if it is a link")
    newer_than_run: bool = Field(description="what it says of the sandbox holds from the next start on")
    settings: list[AssignmentRow] | None = Field(description="null: the core can't read it")

    model_config = ConfigDict(extra="forbid")


class UnitRow(BaseModel):
    """A loaded unit."""

    name: str
    description: str
    active_state: str
    sub_state: str
    fragment_path: str
    needs_reload: bool = Field(description="a file of it has changed since systemd read it")
    drop_ins: list[DropInRow] = Field(description="in the order in which they apply")
    groups: list[SettingGroup]

    model_config = ConfigDict(extra="forbid")


class LooseningRow(BaseModel):
    """A wall of the sandbox that is down, and what the plugin may do for that."""

    setting: str
    value: str
    kept: str = Field(description="the value with which it would stand")
    meaning: str
    weight: Weight
    set_by: str | None
    origin: Origin | None

    model_config = ConfigDict(extra="forbid")


class SandboxRow(BaseModel):
    profile: Sandbox
    grade: Grade
    loosened: list[LooseningRow] = Field(description="what matters most comes first")

    model_config = ConfigDict(extra="forbid")


class UnitsAnswer(BaseModel):
    """null: that unit isn't loaded, and there is no sandbox to judge."""

    id: str
    service: UnitRow | None
    socket: UnitRow | None
    sandbox: SandboxRow | None

    model_config = ConfigDict(extra="forbid")


def router(plugins: Plugins, inspector: Inspector) -> APIRouter:
    routes = APIRouter(prefix="/api/plugins", tags=["plugins"])

    @routes.get("/{plugin_id}/units", response_model=UnitsAnswer)
    async def read_units(plugin_id: IdInPath, caller: AnyCaller) -> Any:
        """What systemd has in force for a plugin, which file says so, and what loosens its sandbox."""
        check_may_see(caller, plugin_id)
        view = plugins.view(plugin_id)
        return json_answer(units_document(plugin_id, await inspector.inspect(view), view.sandbox))

    return routes
