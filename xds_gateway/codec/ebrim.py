"""ebRIM 3.0 objects to metadata values and back, losing nothing of what a sender wrote (ITI TF-3 4.2)."""

from .ebrim_reading import parse_objects, parse_submission
from .ebrim_writing import fill_fragment, render_fragment, render_object, render_submission
from .namespaces import LCM, QUERY, RIM, RS

__all__ = [
    "LCM",
    "QUERY",
    "RIM",
    "RS",
    "fill_fragment",
    "parse_objects",
    "parse_submission",
    "render_fragment",
    "render_object",
    "render_submission",
]
