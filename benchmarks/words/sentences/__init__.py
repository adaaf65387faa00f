"""Sentences about a shop's segments, written by hand as a model or an analyst would write them.

``{A}``, ``{B}`` and ``{C}`` are segments (``{A|S}`` is ``S1``), ``{X}`` and ``{Y}`` pages, ``{users:A}`` a
value, ``{outcome_rate:A|0}`` one with no digits after the point. Which segments, and how each is called, is
drawn for every sentence.
``{more:users:A:B}`` is a word that compares. In ``VALUES`` a value can be made wrong; ``ORDER`` hold a
comparison; the figure of ``INVENTED`` is in no fact, though its parts are; in ``SPELT`` numbers are wrong.
"""
