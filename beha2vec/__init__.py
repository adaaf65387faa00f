"""Beha2Vec as it is installed: this folder holds ``app.py``, ``pages/`` and ``core/`` (docs/decisions/0028).

In the repository they lie beside this folder; pyproject.toml says where they go.
"""
