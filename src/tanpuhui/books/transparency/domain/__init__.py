"""The public proof, pure: canonical JSON, Merkle tree, heads, leaves, certificates. No Django, no database, no clock."""
