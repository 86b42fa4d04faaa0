"""Puts the contracts (`wsdl`, `schemas`) into the built package; everything else is in setup.cfg.

They stay at the top of the checkout. A `package_dir` mapping would break editable installs, so they are copied, and
only when a wheel is built.
"""

from pathlib import Path
from shutil import copytree

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithContracts(build_py):
    """Copies the two folders to `xds_gateway/_contracts`, where `xds_gateway.contracts` looks first."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        here = Path(__file__).parent
        target = Path(self.build_lib) / "xds_gateway" / "_contracts"
        copytree(here / "wsdl", target / "wsdl", dirs_exist_ok=True)
        copytree(here / "schemas", target / "schemas", dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithContracts})
