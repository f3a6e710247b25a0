"""The boundary: the contract that every backend obeys, what runs inside, and the backends."""
