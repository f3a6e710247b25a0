"""Leaves that every other package may import: errors, secrets, ids, clock, text, processes, the kernel.

Nothing here knows what a bottle is. Nothing here imports another package of ours.
"""
