"""What comes in from outside, over the API, on both databases."""
