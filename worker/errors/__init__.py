"""Every error that is raised on purpose: one tree, a module for each story."""
