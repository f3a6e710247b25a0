"""What runs inside a bottle before anything of the bottle's own: standard library only, no import of ours."""
