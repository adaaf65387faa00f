# ruff: noqa: E501 - a sentence is easier to read on one line
"""Whole answers in the manners of several chat models, written without sight of the rules or of their results.

Slots as in ``filling.py``; of a segment's themes, types, pages and the like, a letter stands for the one with
the most (``filling.ITEMS``). In both shops, by outcome rate: 2 is above all users, then come 4, 6 and 5; 1, 3,
5 and 6 are below all users; a tenth of 3 converts, 4 does 1.5 times as often as 5, the intervals of 5 and 6
overlap, those of 2 and 3 do not. In size, 6 is the third, nearly three times 3 and over twice 4. Sessions
a user: 1, 2, 6, 3, in that order; 6 twice 3. Page views a user: 3 is last, 2 over three times 5 and almost
twice 6. Revenue a user: 6 nearly twice 5, 2 over three times 1 and over twice 5. 1 is above all users in
sessions a user and engagement time and below them in revenue a user; 5 is below them in whatever is said of it.
"""

from __future__ import annotations

from typing import Final

NAMES: Final = (
    "Fare watchers", "Trip planners", "Headline skimmers", "Map explorers", "Help-centre visitors",
    "City-break bookers", "Newsletter readers",
)  # fmt: skip
PAGES: Final = (
    "/flights/search", "/booking/confirm", "City guides", "/news/live", "/docs/refunds", "Season calendar",
)  # fmt: skip
ITEMS: Final = {
    "theme": ("Hiking", "Winter holidays", "Family trips", "Gear care", "Local news"),
    "type": ("Article", "Listing", "Product", "Checkout", "Help"),
    "device": ("mobile", "desktop", "tablet"),
    "browser": ("Chrome", "Safari", "Edge"),
    "country": ("Spain", "Canada", "Japan", "Austria", "Brazil"),
    "source": ("google / organic", "bing / organic", "facebook.com / referral", "(direct) / (none)"),
    "step": ("Article → Listing", "Listing → Product", "Product → Checkout", "Help → Article"),
}

_PORTRAITS: Final = (
    "{A|S} in one line: {users:A} users, {sessions_mean:A} sessions per user, {outcome_rate:A} conversion.",
    "{A|S} holds {users:A} users, i.e. {share:A} of everyone in the export. A session here runs to {pages_per_session:A} page views, and the average user has {sessions_mean:A} sessions.",
    "**{A|name} ({A|S})** gravitate towards {T}. Of the pages they view, {view_share:theme:A:T} belong to that theme, {view_lift:theme:A:T!times} its share in the other segments. {outcome_rate:A} of them end up converting.",
    "Which page sets {A|S} apart the most? It is {H}: {share:page:A:H} of its users opened that page, which makes them {lift:page:A:H!x} as likely to see it as the rest. {I} comes next, with a reach of {share:page:A:I} and a lift of {lift:page:A:I!x}.",
    "Segment {A|#} is built around {V} pages. They take up {view_share:type:A:V} of its page views (lift {view_lift:type:A:V}). Sessions most often start on {K} ({entry:page:A:K}) and most often end on {L} ({exit:page:A:L}).",
    "**Profile of {A|S}**\n- Users: {users:A} ({share:A} of the total)\n- Conversions: {outcome_users:A} users, so a rate of {outcome_rate:A}\n- Depth: {page_views_mean:A} page views per user, {pages_per_session:A} per session\n- Time: {engagement_s_mean:A} per user",
    "Let's look at {A|S} more closely. It counts {users:A} users, {outcome_users:A} of whom converted. On average they come {sessions_mean:A} times, view {page_views_mean:A} pages along the way ({different_pages_mean:A} of them different), and stay engaged for {engagement_s_mean:A}.",
    "{A|S}: {users:A} users | {sessions:A} sessions | {page_views:A} page views | {outcome_rate:A} outcome rate.",
    "The typical member of {A|S} is less active than the averages suggest: the median is {page_views_median:A|0} page views and {engagement_s_median:A} of engagement, whereas the means are {page_views_mean:A} and {engagement_s_mean:A}, respectively.",
    "{A|S} stands out for two topics. {T} is over-represented at {view_lift:theme:A:T} the others' share, {U} at {view_lift:theme:A:U}. With {users:A} users, the group is large enough to plan content for.",
    "Looking at {A}, the most common device is {D} ({share:device:A:D} of users), followed by {E} ({share:device:A:E}). The top browser is {G}, used by {share:browser:A:G}.",
    "Geographically, {A|S} leans on {N} ({share:country:A:N} of users) and {O} ({share:country:A:O}). Its two largest sources are {R}, which brings {share:source:A:R} of its users, and {Q} with another {share:source:A:Q}.",
    "So who are they? {A|name} make {sessions_mean:A} visits each and look at {different_pages_mean:A} different pages. They convert at a rate of {outcome_rate:A} and are worth {revenue_per_user:A} in revenue per user.",
    "{A|S} (n = {users:A}) – outcome rate {outcome_rate:A} [95% CI {low:A}, {high:A}], revenue per user {revenue_per_user:A}, engagement time {engagement_s_mean:A!m}.",
    "{A|S} represents roughly {share:A|0} of all users (about {users:A|~2} people). They generated {revenue:A} in revenue, which works out at {revenue_per_user:A} per user.",
    "**Summary.** This is a group of {users:A} users whose most frequent step is {P}; it accounts for {step:type:A:P} of the steps in {A|S}. **Why it matters.** {session_rate:A} of its {sessions:A} sessions end in a conversion.",
    "For {A}, the average time on site is {engagement_s_mean:A} per user, over {sessions_mean:A} sessions. {engagement_none_share:A} of the segment's users have no engagement time on record, so treat the figure with some care.",
    "The {A|name} cluster ({A|S}) covers {share:A} of users overall and {share_clustered:A} once one-page users are left out.",
    "{A|S} accounts for {outcome_users:A} of the {outcome_users:all} converted users on the site. Its own outcome rate is {outcome_rate:A}, and its members view {pages_per_session:A} pages in each session.",
    "| | {A|S} | All users |\n|---|---|---|\n| Outcome rate | {outcome_rate:A} | {outcome_rate:all} |\n| Sessions per user | {sessions_mean:A} | {sessions_mean:all} |\n| Revenue per user | {revenue_per_user:A} | {revenue_per_user:all} |\n\n{A|S} has {users:A} users, so these rates are reasonably stable.",
    "By topic, {A|S} is set apart by {T}, which makes up {view_share:theme:A:T} of its page views. By page type, it is {V}, at {view_share:type:A:V}.",
    "One-page users never got past their first page. There are {users:group} of them ({share:group} of all users), and they stay for {engagement_s_mean:group} on average.",
    "Zooming out: the export contains {users:all} users and {sessions:all} sessions. {outcome_users:all} users converted, which puts the overall outcome rate at {outcome_rate:all}.",
)  # fmt: skip

_SIDE_BY_SIDE: Final = (
    "In short: {A|S} converts at {outcome_rate:A}, {B|S} at {outcome_rate:B}. That is a gap of {gap:outcome_rate:A:B}.",
    "{A|S} and {B|S} have {users:A} and {users:B} users, respectively. Their outcome rates are {outcome_rate:A} and {outcome_rate:B}, and their users spend {engagement_s_mean:A} and {engagement_s_mean:B} on the site.",
    "**Scale.** {A|S} has {users:A} users, {B|S} has {users:B}.\n**Behaviour.** The former view {pages_per_session:A} pages per session, the latter {pages_per_session:B}.\n**Value.** Revenue per user stands at {revenue_per_user:A} for {A|S} and {revenue_per_user:B} for {B|S}.",
    "The outcome rate in {A|S} is {points:outcome_rate:A:B!pp} than in {B|S} ({outcome_rate:A} compared with {outcome_rate:B}).",
    "The signature theme is {T} for {A|name} ({A|S}) and {Z} for {B|name} ({B|S}). In the former, {T} takes up {view_share:theme:A:T} of page views; in the latter, {Z} takes up {view_share:theme:B:Z}.",
    "Put differently, one user of {A|S} brings in {ratio:revenue_per_user:A:B!x} the revenue of one user of {B|S}: {revenue_per_user:A} versus {revenue_per_user:B}.",
    "{X} was seen by {share:page:A:X} of users in {A|S}, as opposed to {share:page:B:X} in {B|S}. For {Y}, the shares are {share:page:A:Y} and {share:page:B:Y}.",
    "Here's how the two stack up:\n\n| | {A|S} | {B|S} |\n|---|---|---|\n| Sessions per user | {sessions_mean:A} | {sessions_mean:B} |\n| Page views per session | {pages_per_session:A} | {pages_per_session:B} |\n| Outcome rate | {outcome_rate:A} | {outcome_rate:B} |\n\nI'd read the last row together with the segment sizes ({users:A} and {users:B} users).",
    "{A} averaged {sessions_mean:A} sessions per user, {B} averaged {sessions_mean:B}. Page views per user came to {page_views_mean:A} and {page_views_mean:B}, respectively.",
    "There isn't one story here, there are two. {A|S} opens with {K} ({entry:page:A:K} of its sessions start there) and has {users:A} users. {B|S}, with {users:B} users, is about {J}: {share:page:B:J} of them saw that page.",
    "Relative to {B|S}, {A|S} has {ratio:users:A:B!times} as many users and {ratio:sessions_mean:A:B!times} as many sessions per user.",
    "Device-wise, {share:device:A:D} of {A|S} and {share:device:B:D} of {B|S} are on {D}. Traffic-wise, {R} brings in {share:source:A:R} of the former and {share:source:B:R} of the latter.",
    "Three segments, three conversion levels: {A|S} at {outcome_rate:A|1}, {B|S} at {outcome_rate:B|1} and {C|S} at {outcome_rate:C|1}. The site as a whole is at {outcome_rate:all|1}.",
    "Median engagement is {engagement_s_median:A} in {A|S} and {engagement_s_median:B} in {B|S}. The corresponding means are {engagement_s_mean:A} and {engagement_s_mean:B}, so in both segments a minority of heavy users lifts the average.",
    "**Alike:** both segments include users who saw {X} ({share:page:A:X} in {A|S}, {share:page:B:X} in {B|S}).\n**Different:** {outcome_rate:A} of {A|S} convert, against {outcome_rate:B} of {B|S}.\n**So what:** a shared page does not mean a shared outcome.",
    "Of the three segments you picked, {A|S} ({users:A} users) and {B|S} ({users:B} users) convert at {outcome_rate:A} and {outcome_rate:B}. The remaining one, {C|S}, has {users:C} users and converts at {outcome_rate:C}.",
    "On a per-session basis, {session_rate:A} of sessions convert in {A|S} and {session_rate:B} in {B|S}; on a per-user basis it is {outcome_rate:A} and {outcome_rate:B}.",
    "Counting heads: {outcome_users:A} out of {users:A} users converted in {A|S}, and {outcome_users:B} out of {users:B} in {B|S}. As rates, that is {outcome_rate:A} and {outcome_rate:B}.",
    "{A|S} reaches {page_views_mean:A} page views per user, {ratio:page_views_mean:A:B} the {page_views_mean:B} of {B|S}. With engagement it is {ratio:engagement_s_mean:A:B} ({engagement_s_mean:A} against {engagement_s_mean:B}).",
)  # fmt: skip

_REPLIED: Final = (
    "{users:A}.\n\nThat is the number of users in {A|S}, or {share:A} of all users.",
    "Sure! {A|S} had {sessions:A} sessions in total, from {users:A} users.",
    "{outcome_rate:A}. In absolute terms, {outcome_users:A} of the {users:A} users in {A|S} converted.",
    "Good question. The data can't tell us *why* {A|S} behaves this way, only that {share:page:A:H} of its users visited {H} and that {outcome_rate:A} of its users converted.",
    "Short answer: revenue per user is {revenue_per_user:A}. Longer answer: {A|S} brought in {revenue:A} in revenue from {users:A} users, {outcome_users:A} of whom converted.",
    "Relative to the other segments, {A|S} is most interested in {T}: the theme draws {view_share:theme:A:T} of its page views, {view_lift:theme:A:T} the others' share. In {B|S}, it draws {view_share:theme:B:T}.",
    "I couldn't find anything about age or income in the facts. What I can tell you about {A|S}: {share:country:A:N} of its users are in {N}, and {share:device:A:D} use {D}.",
    "For {A|S}, the exit page to watch is {L}, where {exit:page:A:L} of sessions end. For entries it's {K}, at {entry:page:A:K}.",
    "Yes, {A|S} uses the site differently. Its users open {different_pages_mean:A} different pages each, against {different_pages_mean:all} for all users, and view {pages_per_session:A} pages per session, against {pages_per_session:all}.",
    "{X} reaches {share:page:A:X} of the users in {A|S} (lift {lift:page:A:X}).",
    "These pages have the highest lift in {A|S}:\n1. {H} – seen by {share:page:A:H}, lift {lift:page:A:H}\n2. {I} – seen by {share:page:A:I}, lift {lift:page:A:I}",
    "On average, {engagement_s_mean:A} of engagement per user in {A|S}. For context, the average across all users is {engagement_s_mean:all}.",
    "{A|S} averages {sessions_mean:A} sessions per user vs. {sessions_mean:all} site-wide.",
    "With 95% confidence, the outcome rate of {A|S} lies between {low:A} and {high:A}; the point estimate is {outcome_rate:A}.",
    "If you mean sessions rather than users: {outcome_sessions:A} of the {sessions:A} sessions in {A|S} led to a conversion, so {session_rate:A}. Per user, the rate is {outcome_rate:A}.",
    "GA4 recorded {page_views:A} page views for {A|S}. Spread over {users:A} users, that is {page_views_mean:A} each.",
    "The step {P} is the most frequent one in {A|S} ({step:type:A:P} of all its steps). In {B|S}, the same step makes up {step:type:B:P}.",
    "Around {outcome_rate:A|0} of the users in {A|S} convert, {outcome_rate:A} to be precise.",
    "{A|S} has {users:A} users. Of these, {share:page:A:X} saw {X} and {share:page:A:Y} saw {Y}.",
    "Let me break that down for {A|S}:\n* **Reach** – {users:A} users\n* **Frequency** – {sessions_mean:A} sessions per user\n* **Depth** – {pages_per_session:A} page views per session\n* **Outcome** – {outcome_rate:A}",
    "Not directly, since the facts contain no information on ad spend. They do show what share of {A|S}'s users came via {R} ({share:source:A:R}) and via {Q} ({share:source:A:Q}).",
    "The facts cover {users:all} users. Leaving aside the {users:group} who saw just one page, everyone belongs to a segment; {A|S}, for instance, has {users:A}.",
    "{V} pages are what {A|S} is after: they attract {view_share:type:A:V} of page views there, {view_lift:type:A:V} the share in the other segments. {W} pages follow with a lift of {view_lift:type:A:W}.",
    "Be careful when comparing their outcome rates: the interval for {A|S} runs from {low:A} to {high:A}, that for {B|S} from {low:B} to {high:B}.",
    "On which devices? In {A|S}, {share:device:A:D} of users are on {D} and {share:device:A:E} on {E}.",
    "{A|name} spent about {engagement_s_mean:A|s} each, and {outcome_rate:A} of them converted.",
)  # fmt: skip

_PROPOSED: Final = (
    "**Persona: Jonas, the methodical planner.** Jonas stands for {A|S}, whose {users:A} users make {sessions_mean:A} sessions each. He reads a lot about {T}, a theme with {view_share:theme:A:T} of the segment's page views. *Idea:* send him a checklist he can save and come back to.",
    "I'd start with {A|S}. Its {users:A} users convert at {outcome_rate:A}, and {share:page:A:H} of them pass through {H}, so a stronger call to action on that page would meet exactly this audience.",
    "Campaign: *Pick up where you left off*. Target {A|S} with a reminder of the last page they viewed. Since {exit:page:A:L} of sessions end on {L}, place a gentle prompt there as well.",
    "For {A|S}, focus on {D}: {share:device:A:D} of its users browse on it. Keep forms short and load times low.",
    "Recommendation: give {B|S} a guided tour and {A|S} a loyalty perk. The first group has an outcome rate of {outcome_rate:B}, the second of {outcome_rate:A}.",
    "\"I just want to find the right page quickly.\" That could be the motto of {A|S}, whose sessions include {pages_per_session:A} page views on average. {V} pages take {view_share:type:A:V} of those views. Consider improving the internal search.",
    "Next step: review {K}, the page on which {entry:page:A:K} of the sessions in {A|S} begin. Any improvement there meets users at the very start of their visit.",
    "Because {R} is the largest source for {A|S} ({share:source:A:R} of users), I would try the first message in that channel. The current outcome rate, {outcome_rate:A}, is your baseline.",
    "A content series on {T} would suit {A|S}. This theme accounts for {view_share:theme:A:T} of page views in the segment, which is {view_lift:theme:A:T} as much as elsewhere.",
    "**Who:** {A|S} ({users:A} users).\n**What they do:** {page_views_mean:A} page views over {sessions_mean:A} sessions.\n**Tension:** interest is there, but so is hesitation.\n**Offer:** free advice by chat while they compare.",
    "You could run a small test in {A|S} first. It has {users:A} users, of whom {outcome_users:A} have converted so far; the remaining ones are the audience for the test.",
    "Maria (a persona for {A|S}) lives in {N}, like {share:country:A:N} of the segment's users. She uses {G}, as do {share:browser:A:G} of them. She would welcome local delivery information early on.",
    "In terms of return, {A|S} earns {revenue_per_user:A} per user. A member-only preview may help to keep these visitors, who already come {sessions_mean:A} times on average.",
)  # fmt: skip

VALUES: Final = (*_PORTRAITS, *_SIDE_BY_SIDE, *_REPLIED, *_PROPOSED)

_TOP: Final = (
    "{MAX:outcome_rate|S} is your best converter: {outcome_rate:MAX:outcome_rate} of its users convert, whereas the average of all users is {outcome_rate:all}.",
    "That would be {MAX:users|S}. With {users:MAX:users} users, it is the biggest of the segments and makes up {share:MAX:users} of the audience.",
    "Users come back most often in {MAX:sessions_mean|S} ({sessions_mean:MAX:sessions_mean} sessions per user) and least often in {MIN:sessions_mean|S} ({sessions_mean:MIN:sessions_mean}).",
    "🏆 **Highest revenue per user:** {MAX:revenue_per_user|S} with {revenue_per_user:MAX:revenue_per_user}\n📉 **Lowest:** {MIN:revenue_per_user|S} with {revenue_per_user:MIN:revenue_per_user}",
    "No other segment spends as much time on the site as {MAX:engagement_s_mean|S}: {engagement_s_mean:MAX:engagement_s_mean} per user.",
    "The outcome rate ranges from {outcome_rate:MIN:outcome_rate} ({MIN:outcome_rate|S}) to {outcome_rate:MAX:outcome_rate} ({MAX:outcome_rate|S}).",
    "The smallest segment is {MIN:users|S}. It has only {users:MIN:users} users, or {share:MIN:users} of the total.",
    "When it comes to depth, {MAX:pages_per_session|S} leads with {pages_per_session:MAX:pages_per_session} page views per session.",
    "{MAX:page_views_mean|S} views the most pages per user, {page_views_mean:MAX:page_views_mean} on average. At the other end sits {MIN:page_views_mean|S}, where it is {page_views_mean:MIN:page_views_mean}.",
    "In total revenue, {MAX:revenue|S} comes out on top with {revenue:MAX:revenue}.",
    "I'd concentrate the budget on {MAX:revenue_per_user|S}. Nowhere else is revenue per user as high ({revenue_per_user:MAX:revenue_per_user}, compared with {revenue_per_user:all} across all users).",
    "By outcome rate, {A|S} comes {rank:outcome_rate:A} among the segments ({outcome_rate:A}). By size, it comes {rank:users:A} ({users:A} users).",
    "{A|S} is no. {rank:engagement_s_mean:A|#} in engagement time ({engagement_s_mean:A} per user) and no. {rank:revenue_per_user:A|#} in revenue per user ({revenue_per_user:A}).",
    "Most conversions come from {MAX:outcome_users|S}: {outcome_users:MAX:outcome_users} converted users, more than in any other segment.",
)  # fmt: skip

_BESIDE: Final = (
    "{A|S} is {larger:users:A:B} than {B|S} ({users:A} vs. {users:B} users), and average engagement is {longer:engagement_s_mean:A:B} ({engagement_s_mean:A} vs. {engagement_s_mean:B}).",
    "Conversion is {higher:outcome_rate:A:B} in {A|S} than in {B|S}: {outcome_rate:A} as against {outcome_rate:B}.",
    "Users of {A|S} have {more:sessions_mean:A:all} sessions than the average user: {sessions_mean:A} compared with {sessions_mean:all}. Their revenue per user, {revenue_per_user:A}, is {higher:revenue_per_user:A:all} than the overall {revenue_per_user:all}.",
    "**{A|S} vs. {B|S}**\n- {A|S} has {more:users:A:B} users ({users:A} vs. {users:B})\n- It has a {higher:outcome_rate:A:B} outcome rate ({outcome_rate:A} vs. {outcome_rate:B})\n- Its revenue per user is {higher:revenue_per_user:A:B} ({revenue_per_user:A} vs. {revenue_per_user:B})",
    "Engagement time is {longer:engagement_s_mean:A:B} among {A|name} ({engagement_s_mean:A!m}) than among {B|name} ({engagement_s_mean:B!m}).",
    "At {outcome_rate:A}, the outcome rate of {A|S} is {higher:outcome_rate:A:all} than the {outcome_rate:all} we see across the site.",
    "A user of {A|S} generates {more:page_views_mean:A:B} page views than a user of {B|S}, {page_views_mean:A} compared to {page_views_mean:B}. Sessions per user are {sessions_mean:A} in the former and {sessions_mean:B} in the latter.",
    "{B|S} has {users:B} users. {A|S} is {larger:users:A:B}, with {users:A}.",
    "Compared with the average of all users, {A|S} shows a {higher:outcome_rate:A:all} outcome rate ({outcome_rate:A} vs. {outcome_rate:all}) and {longer:engagement_s_mean:A:all} engagement ({engagement_s_mean:A} vs. {engagement_s_mean:all}).",
    "Do they spend more? Revenue per user is {higher:revenue_per_user:A:B} in {A|S} ({revenue_per_user:A}) than in {B|S} ({revenue_per_user:B}). The two average {sessions_mean:A} and {sessions_mean:B} sessions per user, respectively.",
    "Each session in {A|S} covers {more:pages_per_session:A:B} pages than in {B|S} ({pages_per_session:A|2} vs. {pages_per_session:B|2}).",
    "{A|S} delivers {more:outcome_users:A:B} converted users than {B|S} ({outcome_users:A} and {outcome_users:B}). Its outcome rate is {outcome_rate:A}, that of {B|S} {outcome_rate:B}.",
)  # fmt: skip

_ORDERED: Final = (
    "{2|S} converts better than the site average ({outcome_rate:2} vs. {outcome_rate:all}); {3|S} converts worse ({outcome_rate:3}).",
    "{6|S} is nearly three times the size of {3|S}: {users:6} users compared with {users:3}.",
    "Roughly one in ten users of {3|S} converts ({outcome_rate:3}), which is below the {outcome_rate:all} of all users. They also view the fewest pages, {page_views_mean:3} per user.",
    "Users of {6|S} come back about twice as often as users of {3|S}, with {sessions_mean:6} sessions each compared with {sessions_mean:3}.",
    "In {2|S}, users view more than three times as many pages as in {5|S} ({page_views_mean:2} vs. {page_views_mean:5} page views per user). Their outcome rate is higher, too: {outcome_rate:2} vs. {outcome_rate:5}.",
    "{6|S} earns almost twice as much revenue per user as {5|S} ({revenue_per_user:6} and {revenue_per_user:5}), although the two hardly differ in outcome rate ({outcome_rate:6} and {outcome_rate:5}).",
    "Users of {4|S} are about one and a half times as likely to convert as users of {5|S}: {outcome_rate:4} against {outcome_rate:5}, a ratio of {ratio:outcome_rate:4:5}.",
    "Is the difference between {5|S} and {6|S} meaningful? Probably not. Their outcome rates are {outcome_rate:5} and {outcome_rate:6}, and the 95% confidence intervals ({low:5} to {high:5}, {low:6} to {high:6}) overlap.",
    "Yes, {2|S} really does have a higher outcome rate than {3|S}. Even the lower end of its interval ({low:2}) is above the upper end of the interval of {3|S} ({high:3}).",
    "From strongest to weakest, the outcome rates of these four are {2|S} ({outcome_rate:2}), {4|S} ({outcome_rate:4}), {6|S} ({outcome_rate:6}) and {5|S} ({outcome_rate:5}).",
    "These four, ranked by visits per user:\n1. {1|S}: {sessions_mean:1}\n2. {2|S}: {sessions_mean:2}\n3. {6|S}: {sessions_mean:6}\n4. {3|S}: {sessions_mean:3}",
    "{3|S} makes about half as many sessions per user as {6|S} ({sessions_mean:3} versus {sessions_mean:6}), and it is also the smaller of the two: {users:3} users versus {users:6}.",
    "{4|S} has less than half as many users as {6|S} ({users:4} vs. {users:6}). Still, it converts better, with an outcome rate of {outcome_rate:4} as opposed to {outcome_rate:6}.",
    "{1|S} is a puzzle. These users visit more often than average ({sessions_mean:1} sessions per user vs. {sessions_mean:all}) and stay longer ({engagement_s_mean:1} vs. {engagement_s_mean:all}), yet they convert less often ({outcome_rate:1} vs. {outcome_rate:all}) and bring in less revenue per user ({revenue_per_user:1} vs. {revenue_per_user:all}).",
    "{5|S} trails the average of all users on several counts:\n- sessions per user: {sessions_mean:5} vs. {sessions_mean:all}\n- page views per user: {page_views_mean:5} vs. {page_views_mean:all}\n- outcome rate: {outcome_rate:5} vs. {outcome_rate:all}\n- revenue per user: {revenue_per_user:5} vs. {revenue_per_user:all}",
    "{6|S} is the third-largest segment ({users:6} users). Its sessions are deeper than average, at {pages_per_session:6} page views compared with {pages_per_session:all}, but its outcome rate is lower ({outcome_rate:6} vs. {outcome_rate:all}).",
    "A user of {2|S} is worth more than three times as much as a user of {1|S} ({revenue_per_user:2} vs. {revenue_per_user:1} in revenue) and more than twice as much as a user of {5|S} ({revenue_per_user:5}).",
    "{2|S} and {6|S} differ in depth: the former sees almost twice as many pages per user ({page_views_mean:2}) as the latter ({page_views_mean:6}).",
    "**Invest:** {2|S}, because its outcome rate of {outcome_rate:2} is above average ({outcome_rate:all}).\n**Fix:** {1|S}, where users come {sessions_mean:1} times but only {outcome_rate:1} of them convert.\n**Watch:** {3|S}, which has the fewest page views per user ({page_views_mean:3}).",
    "If I had to choose between {4|S} and {6|S}, I would go for the former. It is smaller ({users:4} users against {users:6}), but {outcome_rate:4} of its users convert, as opposed to {outcome_rate:6} of the latter.",
    "{3|S} users barely get going: at {page_views_mean:3} page views each, they view fewer pages than users of any other segment. A clearer entry page could be worth a try.",
    "{1|S}, {3|S}, {5|S} and {6|S} all convert below the site average of {outcome_rate:all}, at {outcome_rate:1}, {outcome_rate:3}, {outcome_rate:5} and {outcome_rate:6}, respectively. {2|S} is above it ({outcome_rate:2}).",
)  # fmt: skip

ORDER: Final = (*_TOP, *_BESIDE, *_ORDERED)
INVENTED: Final = (
    "Taken together, {A|S} and {B|S} reach {sum:users} users.",
    "Combined, {A|S} and {B|S} produced {sum:sessions} sessions, so they deserve most of the attention.",
    "{A|S} and {B|S} bring in {sum:outcome_users} conversions between the two of them.",
    "The average outcome rate of {A|S} and {B|S} is {mean:outcome_rate}.",
    "Fixing the entry page of {A|S} would yield some {made} extra visits.",
    "That leaves {difference:outcome_users} converted users between {A|S} and {B|S}.",
)
SPELT: Final = (
    "Some fifty users of {A|S} converted.",
    "Eight in ten users of {A|S} convert.",
    "{A|S} counts around three hundred users.",
)
