"""``python -m core …``: the stages without a screen."""
