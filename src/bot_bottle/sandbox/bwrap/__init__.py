"""The parts of the bubblewrap backend: the stage before bwrap, its arguments, mount points, limits.

``stage`` runs in a forked child and prepares what bwrap has no options for; ``arguments`` is pure.
"""
