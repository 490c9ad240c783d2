"""What prepares, starts and judges a working copy: standard library only, so that a fresh machine can run it."""
