"""Is the model worth it here? On the analyst's own data, beside two simple ways of describing a user."""
