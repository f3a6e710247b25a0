"""Credentials of Mercado Pago."""

from __future__ import annotations

from bot_bottle.dlp.rule import Edge, Rule

RULES = (
    Rule(
        name="mercadopago-token",
        vendor="Mercado Pago",
        docs="https://www.mercadopago.com.ar/developers/en/docs/your-integrations/credentials",
        pattern="APP_USR-[0-9]{12,18}-[0-9]{6}-[0-9a-f]{32}-[0-9]{6,12}",
        edge=Edge.FREE,
        positives=("«APP_USR-{dig:16}-{dig:6}-{hex:32}-{dig:9}»",),
    ),
)
