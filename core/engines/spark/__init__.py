"""Parts of the users on a Spark cluster: it hands out files and parts, our own code does the rest."""
