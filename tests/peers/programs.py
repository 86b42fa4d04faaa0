"""Which programs the tests of this folder need, and which of them this machine lacks."""

import shutil

NEEDED = {
    "test_java.py": ("java", "mvn"),
    "test_rsyslog.py": ("rsyslogd",),
    "test_softhsm.py": ("softhsm2-util",),  # `make peers` installs it
}
MISSING = {
    test: missing for test, names in NEEDED.items() if (missing := [name for name in names if not shutil.which(name)])
}


def notices() -> list[str]:
    """One sentence for each test that is not collected."""
    return [
        f"tests/peers/{test} was not collected: this machine has no {' and no '.join(missing)}"
        for test, missing in MISSING.items()
    ]
