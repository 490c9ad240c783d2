"""The platform on which a province runs its carbon inclusion (碳普惠) scheme."""
