"""Each row of the fault table, with real processes that are killed for real."""
