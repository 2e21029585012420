"""What Evenhand knows without asking anybody: pure, standard library only."""
