# ruff: noqa: E501 - a sentence is easier to read on one line
"""Answers as one would write them to a colleague, by an author who knew neither the rules nor their results.

Slots as in ``filling.py``. Nothing is said of fixed segments, so that every sentence is true of any shop without ties.
"""

from __future__ import annotations

from typing import Final

NAMES: Final = (
    "Mortgage seekers", "Course applicants", "Weekly grocery shoppers", "Timetable checkers",
    "Regular donors", "Puzzle players", "Branch finders",
)  # fmt: skip
PAGES: Final = (
    "/mortgages/calculator", "/courses/apply", "Weekly offers", "/timetable/night-buses", "Donation form",
    "/games/chess",
)  # fmt: skip
ITEMS: Final = {
    "theme": ("Savings accounts", "Student life", "Fresh produce", "Ticket prices", "Volunteering"),
    "type": ("Landing", "Overview", "Form", "Account", "News"),
    "device": ("mobile", "desktop", "tablet"),
    "browser": ("Safari", "Chrome", "Firefox"),
    "country": ("Germany", "France", "Poland", "Mexico", "Turkey"),
    "source": ("google / cpc", "newsletter / email", "(direct) / (none)", "partner.org / referral"),
    "step": ("Landing → Overview", "Overview → Form", "Form → Account", "News → News"),
}

_PORTRAITS: Final = (
    "{A|name}: {outcome_users:A} of {users:A} users converted ({outcome_rate:A}).",
    "Hi Tom, quick one on {A|S}. We're talking about {users:A} people here, {share:A} of everybody who visited in the period. On average each of them dropped by {sessions_mean:A} times.",
    "Sure! {A|S} is the group we labelled “{A|name}”. Some facts:\n\n- **Headcount:** {users:A}\n- **Visits:** {sessions:A}, or {sessions_mean:A} per person\n- **Conversion:** {outcome_rate:A}\n\nLet me know if you want the page-level view as well.",
    "The {A|name} ({A|S}) clocked {engagement_s_mean:A} of engagement per user and {pages_per_session:A} pages a session.",
    "Of the {users:A} users in {A|S}, {outcome_users:A} reached the goal. This corresponds to a conversion rate of {outcome_rate:A|2}, with a 95% confidence interval from {low:A|2} to {high:A|2}.",
    "{H} is what gives {A|S} away: a user of this segment is {lift:page:A:H!times} as likely as other users to have seen it. In absolute terms, {share:page:A:H} of the segment did.",
    "Top pages by lift for {A|S}:\n1. {H} – {lift:page:A:H}, seen by {share:page:A:H} of its users\n2. {I} – {lift:page:A:I}, seen by {share:page:A:I}",
    "Where do they come in? Most often through {K}, the starting point of {entry:page:A:K} of sessions in {A|S}. And where do they leave? {L} is the most frequent last page ({exit:page:A:L} of sessions).",
    "I went through the numbers of {A} this morning. Median engagement is only {engagement_s_median:A}, the mean is {engagement_s_mean:A}. I would quote the median to the board.",
    "{users:A} users, {page_views:A} page views, {revenue:A} in revenue: that is {A} in three figures. Per user, it comes to {page_views_mean:A} page views and {revenue_per_user:A} in revenue.",
    "{A|S} is about {T}. The theme gets {view_share:theme:A:T} of the segment's page views, {view_lift:theme:A:T} the share it has among the others.",
    "What they read more than others: {T} (lift {view_lift:theme:A:T}). What they use most: {D}, in {share:device:A:D} of cases. Where they live: {N} more than anywhere else ({share:country:A:N}). All of this refers to {A}.",
    "**{A|S} · {A|name}**\n*Audience* {users:A} users ({share:A|0})\n*Frequency* {sessions_mean:A} sessions per user\n*Depth* {pages_per_session:A} page views per session\n*Yield* {revenue_per_user:A} revenue per user",
    "From an acquisition standpoint, segment {A|#} relies on {R}, which accounts for {share:source:A:R} of its users. The runner-up, {Q}, accounts for {share:source:A:Q}.",
    "Converted users in {A}: {outcome_users:A}. Rate: {outcome_rate:A}. Sessions with a conversion: {outcome_sessions:A}, i.e. {session_rate:A} of all sessions in the segment.",
    "Around {outcome_rate:A|0} of {A|S} convert. The {sessions:A} sessions of the segment contain {pages_per_session:A} page views each.",
    "On {A|S}: the users saw {different_pages_mean:A} different pages on average, but their page views come to {page_views_mean:A} each. The difference is pages that they opened more than once.",
    "In {A}, {share:device:A:D} of users were on {D} and {share:device:A:E} on {E}. {G} was their most used browser ({share:browser:A:G}).",
    "Short version: {A|S} is {share:A} of our users and {share_clustered:A} of those that were clustered.",
    "The journey in {A|S} is easy to describe. The most frequent start is {K} ({entry:page:A:K} of sessions), the most common step is {P} ({step:type:A:P} of steps), and {outcome_rate:A} of users get to the finish.",
    "One caveat on {A|S}: for {engagement_none_share:A} of its {users:A} users, no engagement was measured at all. Take the mean of {engagement_s_mean:A|s} with a pinch of salt, then.",
    "Colleagues, a few words on the site as a whole. We had {users:all} users in {sessions:all} sessions (that's {sessions_mean:all} each). {outcome_users:all} of them converted, a rate of {outcome_rate:all}.",
    "Note that {users:group} users looked at one page only and left. They are {share:group} of the audience and were not put into any segment.",
    "{A|S} brought in {revenue:A} overall. Divided by its {users:A} users, that makes {revenue_per_user:A} per head.",
    "You asked how long they stay. In segment {A|#} it's {engagement_s_mean:A!m} per user on average, across {sessions_mean:A} sessions.",
    "{V} pages are typical of {A}, with a share of {view_share:type:A:V} and a lift of {view_lift:type:A:V!x}.",
    "Roughly {users:A|~2} users belong to {A}. About {outcome_rate:A|0} of them convert, and revenue per user is {revenue_per_user:A}.",
    "{outcome_rate:A|words} of {A|name} convert (n = {users:A}).",
    "In {A}, {outcome_sessions:A} of {sessions:A} sessions ended with a conversion ({session_rate:A}).",
    "Site total: about {users:all|k} users. {A|S} has {users:A|k} of them.",
)  # fmt: skip

_TOGETHER: Final = (
    "{A|name} ({A|S}) converted at {outcome_rate:A}; for {B|name} ({B|S}) it was {outcome_rate:B}.",
    "Hello Priya,\n\nhere are the two segments you wanted. {A|S} has {users:A} users and a conversion rate of {outcome_rate:A}. {B|S} has {users:B} users and a conversion rate of {outcome_rate:B}.\n\nBest,\nJonas",
    "{A|name} and {B|name} visited {sessions_mean:A} and {sessions_mean:B} times per user, respectively, and viewed {pages_per_session:A} and {pages_per_session:B} pages in a session.",
    "- {A|S}: {revenue_per_user:A} per user, {outcome_users:A} converted users\n- {B|S}: {revenue_per_user:B} per user, {outcome_users:B} converted users",
    "Conversion in {A|S} ({outcome_rate:A}) is {points:outcome_rate:A:B} than in {B|S} ({outcome_rate:B}).",
    "With {users:A} users, segment {A|#} is {ratio:users:A:B} the size of segment {B|#} ({users:B}).",
    "Between {A|S} and {B|S} lie {gap:outcome_rate:A:B} of outcome rate. The first is at {outcome_rate:A}, the second at {outcome_rate:B}.",
    "{X} reached {share:page:A:X} of {A|S}. And {B|S}? There, {share:page:B:X} of users saw it.",
    "Look at time on site: {engagement_s_mean:A} per user in {A}, {engagement_s_mean:B} in {B}, and {engagement_s_mean:all} for everyone taken together.",
    "The page that marks out {A|S} the most is {H}; for {B|S}, it is {J}. Reach within the segment is {share:page:A:H} in the one case and {share:page:B:J} in the other.",
    "Conversion by segment: {A|name} {outcome_rate:A}, {B|name} {outcome_rate:B}, {C|name} {outcome_rate:C}. For context, all users: {outcome_rate:all}.",
    "Both segments see {Y}: {share:page:A:Y} of users in {A|S} and {share:page:B:Y} in {B|S}. They also differ in size, the former having {users:A} users and the latter {users:B}.",
    "| Segment | Users | Share | Conversion |\n|---|---|---|---|\n| {A|S} | {users:A} | {share:A} | {outcome_rate:A} |\n| {B|S} | {users:B} | {share:B} | {outcome_rate:B} |\n\nRevenue per user, which did not fit in, is {revenue_per_user:A} for {A|S} and {revenue_per_user:B} for {B|S}.",
    "A typical (median) user of {A|S} views {page_views_median:A|0} pages. In {B|S}, the median is {page_views_median:B|0}.",
    "The share of sessions that convert is {session_rate:A} in {A|S}, against {session_rate:B} in {B|S}. Per user rather than per session, we get {outcome_rate:A} and {outcome_rate:B}.",
    "{A|S} sends {share:source:A:R} of its users our way via {R}; in {B|S}, this source makes up {share:source:B:R}.",
    "A user of {A|S} views {page_views_mean:A} pages on average ({B|S}: {page_views_mean:B}; all users: {page_views_mean:all}).",
    "{A|name} are drawn to {H}. {share:page:A:H} of them saw it, so they are {lift:page:A:H!x} as likely to do so as the rest. The same page was seen by {share:page:B:H} of {B|name}.",
)  # fmt: skip

_ADVISED: Final = (
    "My suggestion for {A|name}: put a reminder on {L}. It is the last page of {exit:page:A:L} of their sessions, more than any other page.",
    "Because {share:device:A:D} of {A|name} use {D}, I would test the new form on that device first.",
    "If you can only write one newsletter this month, write it for {A|name} ({A|S}) and make it about {T}. That theme already takes {view_share:theme:A:T} of their page views.",
    "Recommendation: offer {A|name} a {=15%} voucher on the next order. These users come {sessions_mean:A} times on average, yet only {outcome_rate:A} of them convert.",
    "Before we spend anything on {A}, let's be clear about the potential. The segment has {users:A} users, and {outcome_users:A} of them have converted already.",
    "**Insight:** {share:page:A:H} of {A|S} saw {H}, a lift of {lift:page:A:H!x}.\n**Action:** link it from the home page and see whether the conversion rate ({outcome_rate:A} today) moves.",
    "For {B|S}, I'd leave things as they are. For {A|S}, I'd shorten the way from {K}, where {entry:page:A:K} of its sessions start.",
    "I'd translate the help texts for {A}: {share:country:A:N} of its users are in {N} and {share:country:A:O} in {O}.",
    "{A|S} deserves a loyalty scheme, in my view. {users:A} users with {sessions_mean:A} sessions each and {revenue_per_user:A} of revenue per user is a base to build on.",
    "How firm is the rate of {A}? It stands at {outcome_rate:A}, and the 95% interval runs from {low:A} to {high:A}. I'd plan the campaign with the lower end.",
)  # fmt: skip

VALUES: Final = (*_PORTRAITS, *_TOGETHER, *_ADVISED)

ORDER: Final = (
    "{MAX:outcome_rate|S} converts best ({outcome_rate:MAX:outcome_rate}), {MIN:outcome_rate|S} converts worst ({outcome_rate:MIN:outcome_rate}).",
    "Our largest segment is {MAX:users}, with {users:MAX:users} users. The smallest is {MIN:users|S}, with {users:MIN:users}.",
    "If revenue per user is what counts, go with {MAX:revenue_per_user}: at {revenue_per_user:MAX:revenue_per_user}, it beats every other segment.",
    "The longest engagement is found in {MAX:engagement_s_mean|S} ({engagement_s_mean:MAX:engagement_s_mean} per user) and the shortest in {MIN:engagement_s_mean|S} ({engagement_s_mean:MIN:engagement_s_mean}).",
    "{MAX:sessions_mean|S} shows up more often than anyone else, namely {sessions_mean:MAX:sessions_mean} times per user. Across all users, it is {sessions_mean:all}.",
    "Hi Lena, you were wondering who contributes most to revenue. It's {MAX:revenue}, with {revenue:MAX:revenue} in total.",
    "{MIN:pages_per_session|S} has the shallowest sessions of all segments, just {pages_per_session:MIN:pages_per_session} pages each.",
    "{A|S} ranks {rank:outcome_rate:A} of all segments by conversion rate ({outcome_rate:A}) and {rank:revenue_per_user:A} by revenue per user ({revenue_per_user:A}).",
    "In terms of users, segment {A|#} is number {rank:users:A|#} ({users:A}) and segment {B|#} is number {rank:users:B|#} ({users:B}).",
    "{A|S} has a {higher:outcome_rate:A:B} conversion rate than {B|S} ({outcome_rate:A} vs. {outcome_rate:B}). It also has {more:users:A:B} users than the latter: {users:A} vs. {users:B}.",
    "The average stay is {longer:engagement_s_mean:A:B} in {A} than in {B}, {engagement_s_mean:A} compared to {engagement_s_mean:B} per user.",
    "Measured against all users, {A|S} has {more:sessions_mean:A:all} sessions per user ({sessions_mean:A}, overall {sessions_mean:all}) and a {higher:outcome_rate:A:all} outcome rate ({outcome_rate:A}, overall {outcome_rate:all}).",
    "Revenue per user is {higher:revenue_per_user:A:B} for {A|name} than for {B|name}: {revenue_per_user:A} versus {revenue_per_user:B}.",
    "{A|S} is the {larger:users:A:B} of the two segments. It counts {users:A} users, while {B|S} counts {users:B}.",
    "With {page_views_mean:A} page views per user, {A|S} sees {more:page_views_mean:A:B} pages than {B|S}, where the figure is {page_views_mean:B}.",
    "{outcome_users:MAX:outcome_users} converted users: that's {MAX:outcome_users|S}, and no segment has more of them.",
)  # fmt: skip
INVENTED: Final = (
    "{A|S} and {B|S} together account for {sum:users} users.",
    "Merge {A|S} with {B|S} and you get a segment with {sum:outcome_users} converted users.",
    "Averaged over {A|S} and {B|S}, the outcome rate is {mean:outcome_rate}.",
    "A campaign for {A|S} could bring {made} more visits next quarter.",
)
SPELT: Final = (
    "Nine in ten users of {A|S} convert.",
    "{A|S} has about two hundred users.",
)
