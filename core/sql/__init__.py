"""An expert's SQL query over the tables behind the profiles, in a sandbox."""
