"""The rings on a Redis Cluster and behind Sentinel: real servers, which are killed, promoted and
brought back."""
