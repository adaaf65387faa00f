"""How users move: steps between pages, routes of sessions, funnels, and the time until an outcome."""
