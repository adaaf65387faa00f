"""Groups of users in figures: sizes, outcomes, pages, attributes; what differs; names of segments; facets."""
