"""One module or folder for each backend."""
