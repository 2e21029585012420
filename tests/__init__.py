"""The tests: real servers, sentences for names, and the promise asserted at the end."""
