"""Our own verbs: people and pools, imports and their runs, and why a record has its owner."""
