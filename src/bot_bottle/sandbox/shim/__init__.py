"""What runs first inside a bottle: loopback relay, names, transparent carriage, exec service, self-test.

Standard library only, and of that only what loads in a few milliseconds (no ``socket``, ``selectors``,
``subprocess``, ``json``). Nothing here imports the rest of ``bot_bottle``; the host sends these modules in
as one bundle (``sandbox.bundle``), so that nothing of a bottle's own root can stand in their place. All
that comes from the bottle is hostile: garbage costs the one connection that it came on.
"""
