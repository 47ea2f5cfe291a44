"""Lets `python -m saddlepoint.cli` and `torchrun -m saddlepoint.cli` stand for `saddle`."""

from . import main

main()
