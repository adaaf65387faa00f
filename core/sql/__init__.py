"""An expert's query over the tables behind the profiles, in a cage."""
