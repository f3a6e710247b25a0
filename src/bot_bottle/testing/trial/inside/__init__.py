"""What runs in the bottle as the agent, and outside as the control: the same files, unchanged.

Standard library only, any Python from 3.9: it runs on the bottle's interpreter and may import nothing of
the product's. It judges nothing; it reports what it saw, one JSON object a line.
"""
