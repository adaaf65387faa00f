"""Sentences about a shop's segments, written by hand as a model or an analyst would write them.

``{A}``, ``{B}`` and ``{C}`` are segments (``{A|S}`` is ``S1``), ``{X}`` and ``{Y}`` pages, ``{users:A}`` a
value, ``{outcome_rate:A|0}`` one with no digits after the point. Which segments, and how each is called, is
drawn for every sentence.
``{1}`` to ``{8}`` are all segments; ``{A|nth}`` is ``the third segment``, ``{A|#}`` its number,
``{A|name}`` its name; ``{rank:users:A}`` its place (``second``, with ``|#`` as ``2``). What follows an
exclamation mark is how a value is spelt: ``{outcome_rate:A!sp}`` is ``9.55 %``. ``{=10%}`` is a number that
no fact can back, such as the discount of a proposal: it has to be marked, and that is no false alarm.
``{more:users:A:B}`` is a word that compares. In ``VALUES`` a value can be made wrong; ``ORDER`` hold a
comparison; the figure of ``INVENTED`` is in no fact, though its parts are; in ``SPELT`` numbers are wrong.
"""
