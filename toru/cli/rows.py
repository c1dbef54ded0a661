"""What programs see of the whole host, and of wishes; of everything else: toru.core.rows. The names are promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toru import __version__
from toru.cli.way import Row
from toru.domain.errors import ToruError

if TYPE_CHECKING:
    from toru.cli.look import Summary


def summary_document(summary: Summary) -> dict[str, Any]:
    """All plugins in figures, and Toru's own units."""
    plugins = summary.plugins["plugins"]
    return {
        "plugins": len(plugins),
        "enabled": sum(row["enabled"] for row in plugins),
        "rejected": len(summary.plugins["rejected"]),
        "health": summary.by_health(),
        "state": summary.by_state(),
        "units": [
            {"name": unit.name, "load": unit.load, "active": unit.active, "sub": unit.sub} for unit in summary.units
        ],
        "plugins_dir": str(summary.plugins_dir),
        "version": __version__,
        "systemd": summary.systemd,
    }


def outcome_row(text: str, plugin: Row | None, error: ToruError | None) -> dict[str, Any]:
    """What became of a wish: the plugin as it is now, and what stood in the way."""
    return {
        "id": text,
        "success": error is None,
        "plugin": plugin,
        "error": {"code": error.code, "message": str(error)} if error else None,
    }
