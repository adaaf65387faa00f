# ruff: noqa: E501 - a sentence is easier to read on one line
"""Written last, and only measured: no rule was changed on their account, and none may be.

Whoever mends a rule on one of these moves all of them to ``mended.py`` and writes new ones.
"""

from __future__ import annotations

from typing import Final

VALUES: Final = (
    "{A} is a segment of {users:A} users.",
    "Count of users in {A}: {users:A}.",
    "So far, {users:A} users have been put into {A}.",
    "{A}? {users:A} users, {share:A} of all users.",
    "Its size ({users:A} users) puts {A} in the middle of the field.",
    "You will find {users:A} users in {A}.",
    "The audience of {A} is {users:A} users large.",
    "{share:A} of all users behave like {A}.",
    "As a share of all users, {A} comes to {share:A}.",
    "The outcome rate for {A} equals {outcome_rate:A}.",
    "Users of {A} have an outcome rate of {outcome_rate:A}.",
    "{A} has {outcome_users:A} buyers; its outcome rate is {outcome_rate:A}.",
    "Of the users in {A}, {outcome_rate:A} convert.",
    "We see that {outcome_rate:A|1} of {A} convert.",
    "From {users:A} users in {A} came {outcome_users:A} buyers.",
    "The {outcome_users:A} buyers in {A} bring {revenue_per_user:A} of revenue per user.",
    "Users in {A} need {sessions_mean:A} sessions per user.",
    "{A}: on average {sessions_mean:A} sessions and {page_views_mean:A} page views per user.",
    "{A} reads {page_views_mean:A} page views per user, at {pages_per_session:A} pages per session.",
    "The engagement time in {A} averages out at {engagement_s_mean:A}.",
    "In {A}, engagement time is {engagement_s_mean:A} and revenue per user {revenue_per_user:A}.",
    "Per user, {A} makes {sessions_mean:A} sessions and {revenue_per_user:A} of revenue.",
    "The revenue per user of {revenue_per_user:A} makes {A} attractive.",
    "An outcome rate of {outcome_rate:A} is what {A} achieves.",
    "{A} combines {users:A} users with an outcome rate of {outcome_rate:A}.",
    "Despite {users:A} users, {A} has an outcome rate of only {outcome_rate:A}.",
    "With 95% confidence the outcome rate of {A} is {low:A} to {high:A}.",
    "{A} has {users:A} users and {B} {users:B}, so both can be addressed.",
    "{A} comes with {users:A} users, {B} with {users:B}.",
    "Where {A} converts at {outcome_rate:A}, {B} is at {outcome_rate:B}.",
    "{A} reaches {outcome_rate:A} in outcome rate, {B} reaches {outcome_rate:B}.",
    "There are two figures to compare: the outcome rate of {A}, {outcome_rate:A}, and that of {B}, {outcome_rate:B}.",
    "{A} makes {sessions_mean:A} sessions per user; the figure for {B} is {sessions_mean:B}.",
    "Engagement time: {A} {engagement_s_mean:A}; {B} {engagement_s_mean:B}.",
    "Revenue per user amounts to {revenue_per_user:A} in {A} and to {revenue_per_user:B} in {B}.",
    "Compared with {A} ({users:A} users), {B} has {users:B} users.",
    "Unlike {B} with its {users:B} users, {A} has {users:A} users.",
    "{A} has {ratio:sessions_mean:A:B} the sessions per user of {B}.",
    "The engagement time in {A} is {ratio:engagement_s_mean:A:B} that in {B}.",
    "The outcome rate is {points:outcome_rate:A:B} in {A} than in {B}.",
    "{A} and {B} are {gap:outcome_rate:A:B} apart in outcome rate.",
    "Many users of {A}, {share:page:A:X} of them, saw {X}.",
    "{A} cares for {X} ({share:page:A:X} of users) and {Y} ({share:page:A:Y} of users).",
    "{X} was opened by {share:page:A:X} of users in {A}.",
    "In {B}, {share:page:B:X} saw {X}; in {A}, {share:page:A:X} did.",
    "{A} is {lift:page:A:X} as likely as other users to see {X}.",
    "The outcome rate of all users is {outcome_rate:all}, that of {A} {outcome_rate:A}.",
    "Among all {users:all} users, {users:A} are in {A}.",
    "{A} has around {users:A|~2} users and converts at about {outcome_rate:A|0}.",
    "{A} has {outcome_rate:A|words} of its users converting.",
    "Meet {A}. This group has {users:A} users. The outcome rate here is {outcome_rate:A}.",
    "**Size**: {A} has {users:A} users.\n**Conversion**: {A} converts at {outcome_rate:A}.",
    "| Segment | Sessions | Engagement time |\n|---|---|---|\n| {A} | {sessions:A} | {engagement_s_mean:A} |\n| {B} | {sessions:B} | {engagement_s_mean:B} |",
    "* {A}: {share:A} of all users, {revenue_per_user:A} revenue per user\n* {B}: {share:B} of all users, {revenue_per_user:B} revenue per user",
)  # fmt: skip

ORDER: Final = (
    "{A} is the {larger:users:A:B} segment compared with {B}.",
    "{A} has {more:users:A:B} users than {B} has.",
    "In {A} the outcome rate is {higher:outcome_rate:A:B} than in {B}.",
    "Users of {A} have {more:page_views_mean:A:B} page views per user than those of {B}.",
    "Engagement time in {A} is {longer:engagement_s_mean:A:B} than in {B}.",
    "{A} has {more:sessions:A:B} sessions ({sessions:A}) than {B} ({sessions:B}).",
    "{A} makes {more:revenue_per_user:A:B} revenue per user compared to {B}.",
    "Its outcome rate is {higher:outcome_rate:A:B} than that of {B}: {A} converts at {outcome_rate:A}.",
    "The most users belong to {MAX:users}.",
    "The largest segment by users is {MAX:users}, the smallest is {MIN:users}.",
    "{MAX:outcome_rate} leads with the highest outcome rate, {outcome_rate:MAX:outcome_rate}.",
    "{MIN:revenue_per_user} earns the least revenue per user.",
    "The shortest engagement time is found in {MIN:engagement_s_mean}.",
    "{MAX:sessions_mean} has the most sessions per user of all segments.",
)  # fmt: skip

INVENTED: Final = (
    "Taken together, {A} and {B} have {sum:users:A:B} users.",
    "The two segments {A} and {B} made {sum:sessions:A:B} sessions.",
    "{A} has {difference:users:A:B} users more than {B}.",
    "{made} users of {A} came from a newsletter.",
    "{A} and {B} average {mean:sessions_mean:A:B} sessions per user.",
    "Revenue in {A} totals {made} euros.",
)  # fmt: skip

SPELT: Final = (
    "One in two users of {A} converts.",
    "{A} has ninety-nine users.",
    "Eighty percent of {A} convert.",
    "Nine tenths of all users are in {A}.",
    "{A} makes thirteen sessions per user.",
    "{A} has half a million users.",
)  # fmt: skip
