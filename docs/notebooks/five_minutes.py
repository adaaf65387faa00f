# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # Five minutes on the demo shop
#
# `beha2vec sample` writes a made-up shop's GA4 export, and the truth about its users beside it. Your own
# export goes in the same way.

# %%
import subprocess
import sys

from beha2vec import Beha2Vec

sample = [sys.executable, "-m", "beha2vec", "sample", "--users", "1000", "--out", "shop.csv"]
subprocess.run(sample, check=True, capture_output=True)
shop = Beha2Vec(preset="fast", options="--labels rules --outcome purchase", out="shop").fit("shop.csv")

# %% [markdown]
# A warning is what the run says of its input, or of itself. The object shows whether the users are of kinds,
# and the segments:

# %%
shop

# %%
shop.users_[["segment", "membership", "page_views", "sessions"]].head()

# %% [markdown]
# ## What differs
#
# Each row is one difference between a segment and the other users, tested where no model has seen it. What
# segments were made of says so in `role` and is not tested on the same visits.

# %%
differences = shop.differences_.query("differs == True and kind == 'segment'").sort_values("rank")
columns = ["family", "item", "value", "rest_value", "difference_low", "difference_high"]
differences.set_index("segment")[columns].head(8)

# %% [markdown]
# ## Where they are
#
# Neighbours lie beside each other; how far islands lie apart means little. The second line makes an image of
# the map; without it, the map answers the mouse.

# %%
import altair as alt

alt.renderers.enable("png")
shop.plot_map()

# %% [markdown]
# ## Take it further
#
# `shop/report.html` tells all of it in one file, `shop.rules_` how to find each segment in GA4 or by SQL,
# and the app opens the same export.

# %%
for rule in shop.rules_.query("recommended").itertuples():
    print(f"{rule.name}: {rule.text} {rule.verdict}")
