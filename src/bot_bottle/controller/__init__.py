"""The daemon on the host: launch registry, reaping, and the preloaded parent that forks sidecars."""
