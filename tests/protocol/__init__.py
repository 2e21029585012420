"""The turn protocol as a program over the real ring and the real ledger, and mutants of it that
must be found out."""
