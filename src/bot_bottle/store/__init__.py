"""What lies on disk: layout, state of a bottle, locks. Later the ledger and the audit."""
