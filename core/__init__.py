"""Beha2Vec's core: no screen, no printing; usable from a notebook, a script or a scheduler.

| stage | what it does | where | leaves |
|---|---|---|---|
| preprocess | GA4 files → clean, time-ordered page views, and a receipt | ``ingest/`` | a data set |
| label | themes and types of pages, if wanted | ``labels/`` | labels of pages |
| train | UserBehaviorTransformer, triplet margin loss; a linear head a view | ``model/`` | a model folder |
| embed | one unit vector a user and view (url, theme, type) | ``model/embedding.py`` | vectors |
| combine | the views side by side, by their weights | ``segments/combination.py`` | – |
| cluster | K-Means; segments keep their identity | ``segments/`` | – |
| analyze | quantitative profiles and samples | ``profiles/`` | – |

``runs/pipeline.py`` tells that story as functions; ``storage/`` keeps what a stage leaves, ``runs/jobs.py``
runs it in a child process, ``cli/`` is the command line.
"""

import os

# Threads of OpenMP (torch, scikit-learn) wait asleep instead of spinning. They read this once, when first
# loaded. Beside other work on the same cores, a training step was measured three times faster this way.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
