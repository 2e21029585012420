"""The stories, one a file. Only they bring the ring and the store together; code above may use a
part of one of them."""
