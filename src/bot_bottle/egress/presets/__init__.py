"""Named sets of hosts, methods and paths: what a registry, a model's API or a forge is needed for, and no more.

A *preset* is data with the pages that it was read from; *access* is a word for a part of it; ``expand`` makes
routes of it. Nothing here is asked while requests are judged: the routes file that a proxy obeys has none.
"""
