"""The wording patterns: data only. One module a theme; :mod:`bot_bottle.dlp.inbound.wording` reads them all."""
