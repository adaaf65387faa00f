"""The scorecard: whether the model is worth it on the analyst's data, beside simple ways to embed users."""
