"""All rows, in one order: a row's number is its place here."""

from __future__ import annotations

from bot_bottle.dlp.inbound.row import Row
from bot_bottle.dlp.inbound.rows import abroad, hidden, languages, marks, orders, override, sway, takeover

ROWS: tuple[Row, ...] = (
    *override.ROWS,
    *takeover.ROWS,
    *sway.ROWS,
    *marks.ROWS,
    *orders.ROWS,
    *languages.ROWS,
    *abroad.ROWS,
    *hidden.ROWS,
)
