"""What scripts ask while somebody types: without a word when there is no answer, and never for long."""

from __future__ import annotations

from toru.domain import places

# As Catalogue.format writes it. An id has letters, digits and hyphens; nothing else that a plugin says comes through.
PLUGINS = rf"""sed -n '/^ "plugins"/,/^ \]/s/^   "id": "\([A-Za-z0-9-]*\)".*/\1/p' {places.CATALOGUE} 2>/dev/null"""

# The first field of a line. Shells would take some signs for more than a name.
USERS = r"""timeout 3 toru user list </dev/null 2>/dev/null | sed -n 's/^\([A-Za-z0-9._@+-]*\)\t.*/\1/p'"""
