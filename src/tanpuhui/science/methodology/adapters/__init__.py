"""What this room reads from outside: the jurisdiction's review sheet."""
