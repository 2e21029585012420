"""What Evenhand costs, as ratios: each figure against a limit that is measured in the same run, on
the same machine."""
