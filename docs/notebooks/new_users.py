# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # New users every night
#
# A model is trained once; each night its segments take whoever came. The export is a year of articles read
# inside a company (CI&T Deskdrop, published on Kaggle under the Open Database License), rebuilt as GA4
# events. It is no part of this project.

# %%
import duckdb
import pandas as pd

from beha2vec import Beha2Vec

events = duckdb.sql("FROM read_csv('deskdrop_2016.csv.gz', all_varchar = true)")
before = events.filter("event_date < '20160901'")
readers = Beha2Vec(preset="fast", options="--labels off --outcome like", out="deskdrop").fit(before)
readers

# %% [markdown]
# `save` keeps the model alone, without a user's id; `Beha2Vec.load` and `beha2vec embed --model readers`
# open it on another machine.

# %%
readers.save("readers")
model = Beha2Vec.load("readers")

# %% [markdown]
# ## The nights
#
# A night's events are those of its day. `predict` says −1 of who has too few page views to be in a segment,
# and warns where a model knows few of the pages: articles come and go. `transform` gives the vectors.

# %%
nights = ["20160901", "20160902"]
placed = {night: model.predict(events.filter(f"event_date = '{night}'")) for night in nights}
pd.DataFrame({night: segments.value_counts() for night, segments in placed.items()}).fillna(0).astype(int)

# %% [markdown]
# Of those who had been there before, how many are in the segment that they were in? A day is little to know
# somebody by.

# %%
there = (
    pd.concat(placed.values(), join="inner")
    .to_frame("night")
    .join(readers.labels_.rename("before"), how="inner")
)
there = there.query("night >= 0 and before >= 0")
f"{(there['night'] == there['before']).mean():.0%} of {len(there)}"

# %% [markdown]
# Whether it is time to train again says `beha2vec drift later.csv --model readers`; `beha2vec watch` does
# all of this for a folder ([how to](../how-to/timetable.md)).
