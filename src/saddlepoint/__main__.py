"""`python -m saddlepoint` is `saddle`: for where installed scripts are not on the path."""

from .cli import main

if __name__ == "__main__":
    main()
