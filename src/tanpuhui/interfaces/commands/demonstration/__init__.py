"""The living province (演示省): a generator with a fixed seed, told through operations and journeys only."""
