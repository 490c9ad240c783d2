"""Pages of the citizen face, one module per subject."""
