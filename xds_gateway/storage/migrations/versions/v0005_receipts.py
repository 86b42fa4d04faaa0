"""Who sent a submission set, with how many objects: by that a submission is known when it is sent again.

Revision 0005. Sets that are there keep none of it, and are told as duplicates when they are sent again, as before. The
previous release works on this schema as well: it leaves the new columns empty. A revision is frozen: it does not import
the tables of the running release.
"""

from typing import Final

from alembic import op
from sqlalchemy import Column, Integer, LargeBinary

revision: Final = "0005"
down_revision: Final = "0004"


def upgrade() -> None:
    """Add the columns, empty."""
    op.add_column("submission_set", Column("sender", Integer(), nullable=True))
    op.add_column("submission_set", Column("sent_objects", Integer(), nullable=True))
    op.add_column("submission_set", Column("sent_digest", LargeBinary(), nullable=True))
