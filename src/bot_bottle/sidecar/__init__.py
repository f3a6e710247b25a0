"""The processes beside each bottle: hostile input arrives here."""
