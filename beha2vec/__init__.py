"""Beha2Vec as it is installed: this folder holds ``app.py``, ``pages/`` and ``core/`` (docs/decisions/0028).

In the repository they lie beside this folder; pyproject.toml says where they go. What a notebook imports is
loaded when it is first asked for, as the program needs none of it.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from beha2vec.estimator import Beha2Vec, Beha2VecError

__all__ = ["Beha2Vec", "Beha2VecError"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - either class
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from beha2vec import estimator

    return getattr(estimator, name)
