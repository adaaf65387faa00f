"""Work on parts of the users on a Spark cluster: it hands out files and parts, ``core`` does the rest."""
