"""Place users on a frozen model: more than fit into memory, on Spark, from BigQuery; single ones by HTTP."""
