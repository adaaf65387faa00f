"""Measurements beside the tests; docs/method.md and docs/reliability.md say what came out.

* ``run``: what each stage takes beside a floor and what others take, and the floor of CI (``make bench``).
* ``quality``: our vectors beside simple ways, on demo shops and real exports.
* ``labels``: themes and types beside a person's, and how fast each rung is.
* ``words``: answers, the number check, injections, SQL.
* ``faults``: every operation on the disk fails, or is the last one; two runs into one folder.
* ``company``: many people on one server.
* ``funnels``: what a funnel of four steps takes.
* ``privacy``: personal data that is left after cleaning. ``suites``: test files of other projects.
* ``personal_places``: what is masked on made-up sites, of what is somebody's and of what is public.

``sets`` makes the data, ``measure`` runs a step in a process of its own, ``tables`` prints.
"""
