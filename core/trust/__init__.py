"""Is the model worth it here? On the analyst's own data, beside simple ways of describing a user."""
