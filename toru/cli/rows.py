"""What programs see of the whole host; of plugins, files and log lines: toru.core.rows. The names are promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from toru import __version__

if TYPE_CHECKING:
    from toru.cli.look import Summary


def summary_document(summary: Summary) -> dict[str, Any]:
    """All plugins in figures, and Toru's own units."""
    return {
        "plugins": len(summary.overview.plugins),
        "enabled": sum(view.enabled for view in summary.overview.plugins),
        "rejected": len(summary.overview.rejected),
        "health": summary.by_health(),
        "state": summary.by_state(),
        "units": [
            {"name": unit.name, "load": unit.load, "active": unit.active, "sub": unit.sub} for unit in summary.units
        ],
        "plugins_dir": str(summary.plugins_dir),
        "version": __version__,
        "systemd": summary.systemd,
    }
