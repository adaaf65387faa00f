# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %% [markdown]
# # An outcome, and what differs
#
# Who of a clothing shop's visitors ends up in its sale? The export is the clickstream of a real shop in 2008
# ([UCI data set 553](https://archive.ics.uci.edu/dataset/553)), rebuilt as GA4 page views: one visit a user,
# no purchases. It is no part of this project. A tenth of the users is enough here; leave out `WHERE` for
# all.

# %%
import duckdb

from beha2vec import Beha2Vec

events = duckdb.sql("""
    FROM read_csv('eshop_2008.csv.gz', all_varchar = true)
    WHERE user_pseudo_id LIKE '%7'
""")
events.aggregate("count(*) AS page_views, count(DISTINCT user_pseudo_id) AS users").df()

# %% [markdown]
# The outcome is any page of the sale, by the template of their addresses.

# %%
visitors = Beha2Vec(preset="fast", options="--labels rules --outcome template:/sale/:slug").fit(events)
visitors

# %% [markdown]
# ## Which segments get there
#
# Each share has its interval. Whoever saw the landing page alone is told apart, by rule. Pages of the sale
# are among what segments were made of, so the second table says *how much* segments differ in it, not
# *whether*: `role` is `input`, and there is no test.

# %%
figures = ["label", "users", "outcome_users", "outcome_rate", "outcome_low", "outcome_high"]
visitors.profiles_[figures].set_index("label")

# %%
columns = ["role", "value", "rest_value", "difference_low", "difference_high"]
visitors.differences_.query("family == 'outcome' and kind == 'segment'").set_index("segment")[columns]

# %% [markdown]
# ## What lies behind it
#
# The pages that set segments apart: `ratio_low` is the low end of the interval of how many times as many saw
# the page as elsewhere.

# %%
pages = visitors.differences_.query("family == 'page' and kind == 'segment'").set_index("segment")
pages.sort_values("ratio_low", ascending=False)[["item", "value", "rest_value", "ratio_low"]].head(8)
