"""How users move: what they step from and to, their ways, funnels, and the time until an outcome."""
