"""Tests that need a program of the operating system are collected only where it works."""

import shutil
import subprocess

#   test               a command that works where the test can run
NEEDS = {
    "test_order.py": ["strace", "-D", "-o", "/dev/null", "true"],
    "test_full_disk.py": ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
}


def works(command: list[str]) -> bool:
    """Whether a command runs and succeeds."""
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


collect_ignore = [test for test, command in NEEDS.items() if not works(command)]


def pytest_terminal_summary(terminalreporter):
    for test in collect_ignore:
        terminalreporter.write_line(f"tests/faults/{test} was not collected: {NEEDS[test][0]} does not work here")
