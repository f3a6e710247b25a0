"""Messages between our own processes: framing, and one typed message for each thing said."""
