"""What each coding agent needs: command line, files, environment, routes. Plans only, no I/O."""
