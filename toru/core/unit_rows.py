"""What programs see of a plugin's units, as JSON objects. The names are promises."""

from __future__ import annotations

from typing import Any

from toru.core.inspection import DropIn, HeldSetting, Inspected, UnitInForce
from toru.domain.ids import PluginId
from toru.domain.manifest import Sandbox
from toru.domain.sandbox import FOLLOWS, Loosening
from toru.domain.unitfiles import Assignment


def units_document(plugin_id: PluginId, inspected: Inspected, profile: Sandbox) -> dict[str, Any]:
    """A plugin's units as they are in force, and how well they keep it in."""
    service, assessment = inspected.service, inspected.assessment
    return {
        "id": plugin_id,
        "service": None if service is None else unit_row(service),
        "socket": None if inspected.socket is None else unit_row(inspected.socket),
        "sandbox": None
        if service is None or assessment is None
        else {
            "profile": profile,
            "grade": assessment.grade,
            "loosened": [_loosening_row(it, service) for it in assessment.loosened],
        },
    }


def _loosening_row(loosening: Loosening, service: UnitInForce) -> dict[str, Any]:
    said = _said(service, loosening.setting)
    return {
        "setting": loosening.setting,
        "value": loosening.value,
        "kept": loosening.kept,
        "meaning": loosening.meaning,
        "weight": loosening.weight,
        "set_by": said and said.set_by,
        "origin": said and said.origin,
    }


def unit_row(unit: UnitInForce) -> dict[str, Any]:
    """A loaded unit: its settings in groups, and the files that are laid over it."""
    facts = unit.facts
    return {
        "name": facts.name,
        "description": facts.description,
        "active_state": facts.active,
        "sub_state": facts.sub,
        "fragment_path": facts.fragment,
        "needs_reload": facts.needs_reload,
        "drop_ins": [drop_in_row(drop_in, unit) for drop_in in unit.drop_ins],
        "groups": [
            {
                "name": group,
                "settings": [
                    {
                        "name": it.name,
                        "value": it.value,
                        "kind": it.kind,
                        "set_by": it.set_by,
                        "origin": it.origin,
                    }
                    for it in settings
                ],
            }
            for group, settings in unit.groups.items()
        ],
    }


def drop_in_row(drop_in: DropIn, unit: UnitInForce) -> dict[str, Any]:
    """A file that is laid over a unit. Values stand here only of settings that are no place for a secret."""
    return {
        "path": drop_in.path,
        "origin": drop_in.origin,
        "target": drop_in.target,
        "newer_than_run": drop_in.is_newer_than_run,
        "settings": None
        if drop_in.assignments is None
        else [_assignment_row(it, drop_in, unit) for it in drop_in.assignments],
    }


def _assignment_row(assignment: Assignment, drop_in: DropIn, unit: UnitInForce) -> dict[str, Any]:
    held = unit.held(assignment.name)
    return {
        "section": assignment.section,
        "name": assignment.name,
        "value": None if held is None else assignment.value,
        "in_force": held is not None and held.set_by == drop_in.path,
    }


def _said(unit: UnitInForce, setting: str) -> HeldSetting | None:
    """The setting that a file speaks of: this one, or the one that it follows from."""
    held = unit.held(setting)
    if held is not None and held.set_by is None and setting in FOLLOWS:
        return unit.held(FOLLOWS[setting])
    return held
