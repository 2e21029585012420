"""What people and programs are shown. The only part of the store that callers above the flows may
read."""
