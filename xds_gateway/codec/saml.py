"""SAML 2.0 assertions as XUA profiles them, read and written (SAML 2.0 core 2; ITI TF-2 3.40.4.1.2)."""

from .saml_reading import parse_assertion
from .saml_writing import render_assertion, render_instant

__all__ = ["parse_assertion", "render_assertion", "render_instant"]
