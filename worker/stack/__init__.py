"""The local stack: an embedded server, workers, beat, the API and Flower on one machine."""
