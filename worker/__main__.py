"""`python -m worker` is the evenhand command."""

from worker.cli import main

if __name__ == "__main__":
    main()
