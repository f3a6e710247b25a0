"""The bait in a bottle's environment: made anew at every launch, wanted by nobody honest (egress.md §8). Pure but
for its randomness.

Its name and value look like those of a secret. The sidecar knows it: on the provider's own route it is redacted and
recorded, anywhere else it is an incident.
"""

from __future__ import annotations

import secrets

from bot_bottle.base.secret import Secret

VALUE_BYTES = 32

_WORDS = """
AMBER ANCHOR ARROW ASPEN BEACON BIRCH BRIDGE CANYON CEDAR CINDER CLOVER COBALT COPPER CORAL COTTON
CRYSTAL DELTA DUSK EMBER FALCON FERN FLINT FOREST FROST GARNET GLACIER GRANITE HARBOR HARVEST HAZEL
HERON INDIGO IVORY JASPER JUNIPER LANTERN LARK LAUREL LINDEN LOTUS MAPLE MARBLE MEADOW MERIDIAN
MISTRAL NIMBUS ONYX ORBIT ORCHID OSPREY PEBBLE PINE PRAIRIE QUARRY QUARTZ RAVEN RIDGE RIVER SABLE
SAFFRON SIERRA SLATE SPRUCE SUMMIT TIMBER TUNDRA UMBRA VALLEY VELVET VIOLET WALNUT WILLOW ZENITH
ZEPHYR
"""


def mint_canary() -> tuple[str, Secret]:
    """A name such as ``ORBIT_HARBOR_SECRET``, of two different words, and 32 random bytes, URL-safe."""
    first, second = secrets.SystemRandom().sample(_WORDS.split(), 2)
    return f"{first}_{second}_SECRET", Secret(secrets.token_urlsafe(VALUE_BYTES))
