"""The package can be run where the command cannot be found."""

import subprocess
import sys


def test_the_package_runs_as_the_command_does():
    run = subprocess.run([sys.executable, "-m", "saddlepoint", "trian"], capture_output=True, text=True)
    assert run.returncode == 64
    assert "no such command 'trian'. Did you mean 'train'?" in run.stderr
