"""Use cases on the host: plan (pure), start, resume, clean up."""
