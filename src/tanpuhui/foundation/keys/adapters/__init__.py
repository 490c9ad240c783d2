"""Keys in software and in files; a certified device takes their place behind the `Signer` port."""
