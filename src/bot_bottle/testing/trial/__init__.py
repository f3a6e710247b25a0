"""``bot-bottle try``: a scripted agent at work in a real bottle, then every escape that we know, each judged.

Words: an *escape* is one attempt to get out; it is made twice by the same code, *inside* a bottle and then
*outside* as the *control*. Its *verdict* is read from the attacker's listeners or from the host itself, never
from our own log: ``held``, ``ESCAPED``, or ``not proven`` when the control did not arrive (ruling 70).

Needs no account and no network: every upstream and every listener is on this host's loopback. Imports
nothing of ``cli``; whoever composes hands the backend in.
"""
