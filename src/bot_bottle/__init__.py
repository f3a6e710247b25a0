"""bot-bottle runs coding agents unsupervised, each in a bottle that only its own sidecar can speak for.

The packages below are the rooms of the house; imports go down only (``docs/architecture.md``).
"""

__version__ = "0.1.0"
