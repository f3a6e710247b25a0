"""The formats of credentials, one module a vendor: rows of data, no code (see ``dlp/rule.py``)."""
