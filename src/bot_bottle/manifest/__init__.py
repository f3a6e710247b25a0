"""Files become one frozen manifest: an agent and an effective bottle. May read files, nothing else."""
