"""The database: the declarative base, the session of a request or job, and enum columns that store words."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from flask_sqlalchemy import SQLAlchemy
from psycopg.errors import DeadlockDetected, SerializationFailure
from sqlalchemy import DateTime, Enum, MetaData, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, registry

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all models. Text is text, times are aware, whole numbers that count people are 64 bits wide."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={
            str: Text,
            datetime: DateTime(timezone=True),
            dict[str, Any]: JSONB,
            list[dict[str, Any]]: JSONB,
            list[str]: ARRAY(Text),
        },
    )


db = SQLAlchemy(model_class=Base)

# Flask-SQLAlchemy makes its Model class at run time, where a type checker cannot follow.
if TYPE_CHECKING:
    Model = Base
else:
    Model = db.Model


ATTEMPTS = 3
_T = TypeVar("_T")
_LOST = (DeadlockDetected, SerializationFailure)


def retried(step: Callable[[], _T]) -> _T:
    """Do a step that commits; when it was the loser of a deadlock it is rolled back and done again, three times in all.

    Nothing may be pending in the session. Raises OperationalError for every other trouble, and for the third deadlock.
    """
    for _attempt in range(ATTEMPTS - 1):
        try:
            return step()
        except OperationalError as error:
            db.session.rollback()
            if not isinstance(error.orig, _LOST):
                raise
            time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - only to part two that met
    return step()


def word(enum: type[StrEnum]) -> Enum:
    """A column type that stores the values of `enum` as words and lets the database refuse any other."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=enum.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )
