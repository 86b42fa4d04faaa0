"""The documentation as tests read it: pages, links, fenced blocks and words in backticks."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[1]
PAGES = (
    CHECKOUT / "README.md",
    CHECKOUT / "CHANGELOG.md",
    CHECKOUT / "certs" / "README.md",
    *sorted((CHECKOUT / "docs").rglob("*.md")),
)

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its language and its text."""

    language: str
    text: str


def name_of(page: Path) -> str:
    """The page's path in the checkout."""
    return str(page.relative_to(CHECKOUT))


def blocks(page: Path, language: str) -> tuple[str, ...]:
    """The fenced blocks of a language, in order."""
    found = (Block(*match.groups()) for match in _FENCE.finditer(page.read_text("utf-8")))
    return tuple(block.text for block in found if block.language == language)


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def links(page: Path) -> tuple[str, ...]:
    """Targets of all links."""
    return tuple(match[1] for match in _LINK.finditer(prose(page)))


def anchors(page: Path) -> set[str]:
    """What `#...` may name on a page."""
    headings = (match[1].lower() for match in _HEADING.finditer(prose(page)))
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in headings}


def words(page: Path) -> Iterator[str]:
    """What stands in backticks."""
    return (match[1] for match in _CODE.finditer(prose(page)))


def commands(page: Path) -> Iterator[str]:
    """Lines that a reader may type: of `sh` blocks, of indented blocks, and in backticks."""
    for block in blocks(page, "sh"):
        yield from block.replace("\\\n", " ").splitlines()
    for line in prose(page).splitlines():
        if line.startswith("    "):
            yield line.strip()
    yield from words(page)
