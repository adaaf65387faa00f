# ruff: noqa: E501 - a sentence is easier to read on one line
"""Whole answers as several language models give them to this app's prompts, and measured by themselves.

Written without sight of the rules. Slots as in ``fresh.py``; of a segment's themes, types, pages and the like,
a letter stands for the one with the most (``filling.ITEMS``). In both shops segment 1 converts above and
segment 2 below all users, with intervals apart; those of 5 and 6 overlap; 3 is the largest and converts below
all users; 4 is under a tenth of them and above in outcome and revenue; 7 comes more often and stays longer
than all users, but converts below them.
"""

from __future__ import annotations

from typing import Final

NAMES: Final = (
    "Checkout finishers", "Casual browsers", "Homepage visitors", "Loyal room planners", "Guide readers",
    "Desk comparers", "Inspiration seekers", "Store visit planners",
)  # fmt: skip
PAGES: Final = ("/home", "/shop/sofas", "/cart", "/checkout/payment", "/compare/desks", "/blog/small-spaces")
ITEMS: Final = {
    "theme": ("Tents", "Footwear", "Cooking", "Climbing", "Cycling"),
    "type": ("Product", "Category", "Blog", "Cart & checkout", "Service"),
    "device": ("mobile", "desktop", "tablet"),
    "browser": ("Chrome", "Safari", "Firefox"),
    "country": ("Germany", "United Kingdom", "France", "Netherlands"),
    "source": ("google / organic", "google / cpc", "(direct) / (none)", "newsletter / email"),
    "step": ("Homepage → Category", "Category → Product", "Product → Cart & checkout", "Blog → Product"),
}

_DESCRIBED: Final = (
    "{A|S} has {users:A} users, {share:A} of all users. Users of {A|S} make {sessions_mean:A} sessions each and view {page_views_mean:A} pages over them. The outcome rate of {A|S} is {outcome_rate:A}.",
    "{A|S} is defined by its interest in {T}: {view_share:theme:A:T} of its page views fall on that theme, {view_lift:theme:A:T} the others' share. Its users spend {engagement_s_mean:A} on the site, and {outcome_rate:A} of them convert.",
    "**Name:** Focused researchers\n**Summary:** {A|S} has {users:A} users with {page_views_mean:A} page views a user and {sessions_mean:A} sessions a user. {share:page:A:H} of {A|S}'s users saw {H}, which is {lift:page:A:H} the others' share.\n**Caveat:** The facts describe what was viewed, not why.\n**Suggested action:** Try a reminder that picks up the page they looked at last.",
    "**Name:** Returning visitors with a plan\n\n**Summary:** {A|S} covers {share:A} of all users and {share_clustered:A} of the clustered users. Its outcome rate is {outcome_rate:A}, with {outcome_users:A} converted users.\n\n**What sets it apart:** {V} pages take {view_share:type:A:V} of {A|S}'s page views ({view_lift:type:A:V} the others' share).\n\n**Caveat:** Engagement time is not known for every user.\n\n**Suggested action:** Test a landing page built around this page type.",
    "The users of {A|S} view {pages_per_session:A} pages per session and {different_pages_mean:A} different pages per user. What distinguishes {A|S} is {H}: {share:page:A:H} of its users saw it, {lift:page:A:H} the share among the others.",
    "{A|S} ({A|name}) consists of {users:A} users who generated {sessions:A} sessions and {page_views:A} page views. On average, each user spent {engagement_s_mean:A} engaged with the site. {outcome_users:A} of the users in {A|S} converted, an outcome rate of {outcome_rate:A}.",
    "- **Size:** {A|S} has {users:A} users ({share:A} of all users)\n- **Activity:** {sessions_mean:A} sessions a user, {page_views_mean:A} page views a user\n- **Engagement:** {engagement_s_mean:A} per user\n- **Outcome rate:** {outcome_rate:A}\n- **Revenue a user:** {revenue_per_user:A}",
    "{A|S} is a segment of {users:A} users whose sessions often begin on {K}: {entry:page:A:K} of {A|S}'s sessions start there. {exit:page:A:L} of its sessions end on {L}. A common step for {A|S} is {P}, with {step:type:A:P} of its steps.",
    "In {A|S}, the median user views {page_views_median:A|0} pages, while the mean is {page_views_mean:A} page views a user. Median engagement time is {engagement_s_median:A}, the mean {engagement_s_mean:A}. This gap suggests that a few heavy users pull the averages of {A|S}.",
    "Here is what the data says about {A}: it has {users:A} users, and they account for {sessions:A} sessions. {outcome_rate:A} of them convert, and the revenue a user is {revenue_per_user:A}.",
    "{A|S} brings together visitors who care about {T} and {U}. These themes make up {view_share:theme:A:T} and {view_share:theme:A:U} of {A|S}'s page views, {view_lift:theme:A:T} and {view_lift:theme:A:U} the others' share. The segment has {users:A} users.",
    "**{A|S}** includes {users:A} users, or {share:A} of the whole audience.\n\nKey characteristics:\n- {share:page:A:H} of its users saw {H}\n- {share:page:A:I} of its users saw {I}\n- {view_share:theme:A:T} of its page views concern {T}\n\nIts outcome rate is {outcome_rate:A}, and it generates {revenue_per_user:A} in revenue per user.",
    "The segment {A|S} represents {share:A} of all users ({users:A} out of {users:all}). Its members have an outcome rate of {outcome_rate:A} and an average engagement time of {engagement_s_mean:A}.",
    "**Summary:** {A|S} visitors often arrive via {R} ({share:source:A:R} of users) and use {D} devices ({share:device:A:D} of users). They make {sessions_mean:A} sessions a user.\n**Distinguishing:** {T} accounts for {view_share:theme:A:T} of {A|S}'s page views.\n**Caveats:** Device and source are recorded per user and may miss visits from elsewhere.\n**Action:** Tailor the entry page to the channel.",
    "{A|S} contains {users:A} users with an outcome rate of {outcome_rate:A} (all users: {outcome_rate:all}). Their engagement time is {engagement_s_mean:A} a user (all users: {engagement_s_mean:all}). They see {page_views_mean:A} pages a user (all users: {page_views_mean:all}).",
    "{A|name} ({A|S}) is a group of {users:A} users. {share:page:A:X} of its users saw {X} and {share:page:A:Y} saw {Y}. Among its sessions, {outcome_sessions:A} ended in a conversion, so the outcome rate of sessions is {session_rate:A}.",
    "{A|S} users show {pages_per_session:A} page views a session over {sessions_mean:A} sessions a user. That makes {page_views_mean:A} page views a user in {A|S}, on {different_pages_mean:A} different pages. Their revenue comes to {revenue:A} in total, or {revenue_per_user:A} per user.",
    "**{A|S} at a glance**\n\n| Measure | {A|S} | All users |\n|---|---|---|\n| Users | {users:A} | {users:all} |\n| Outcome rate | {outcome_rate:A} | {outcome_rate:all} |\n| Sessions a user | {sessions_mean:A} | {sessions_mean:all} |\n| Page views a user | {page_views_mean:A} | {page_views_mean:all} |",
    "{A|S} focuses on {V} and {W} content. {V} pages account for {view_share:type:A:V} of {A|S}'s page views ({view_lift:type:A:V} the others' share) and {W} pages for {view_share:type:A:W} ({view_lift:type:A:W}). The outcome rate is {outcome_rate:A}.",
    "Segment {A|#} is made up of {users:A} users. They had {sessions:A} sessions with {pages_per_session:A} page views a session. {outcome_users:A} users converted.",
    "One-page users are a group of their own: {users:group} users ({share:group} of all users) viewed a single page. Their outcome rate is {outcome_rate:group}, and their engagement time is {engagement_s_mean:group} a user.",
    "For the site as a whole, there are {users:all} users with {sessions:all} sessions. The outcome rate of all users is {outcome_rate:all}, engagement time is {engagement_s_mean:all} a user, and revenue is {revenue_per_user:all} a user.",
)  # fmt: skip

_COMPARED: Final = (
    "{A|S} has {ratio:users:A:B} as many users as {B|S} ({users:A} and {users:B}). The outcome rate is {outcome_rate:A} in {A|S} and {outcome_rate:B} in {B|S}, a difference of {gap:outcome_rate:A:B}. Engagement time a user is {engagement_s_mean:A} in {A|S} and {engagement_s_mean:B} in {B|S}.",
    "**Differences**\n- Users: {users:A} in {A|S}, {users:B} in {B|S}\n- Outcome rate: {outcome_rate:A} in {A|S}, {outcome_rate:B} in {B|S}\n- Revenue a user: {revenue_per_user:A} in {A|S}, {revenue_per_user:B} in {B|S}\n\n**Similarities**\n- Users of both segments saw {X}: {share:page:A:X} in {A|S} and {share:page:B:X} in {B|S}",
    "| Measure | {A|S} | {B|S} |\n|---|---|---|\n| Users | {users:A} | {users:B} |\n| Share of all users | {share:A} | {share:B} |\n| Outcome rate | {outcome_rate:A} | {outcome_rate:B} |\n| Engagement time a user | {engagement_s_mean:A} | {engagement_s_mean:B} |",
    "Users of {A|S} view {page_views_mean:A} pages each, those of {B|S} {page_views_mean:B}; the ratio is {ratio:page_views_mean:A:B}. Sessions a user are {sessions_mean:A} in {A|S} and {sessions_mean:B} in {B|S} (ratio {ratio:sessions_mean:A:B}).",
    "The two segments look at different things. {A|S} stands out for {T}, with {view_share:theme:A:T} of its page views, and {B|S} for {Z}, with {view_share:theme:B:Z} of its page views. Their outcome rates are {outcome_rate:A} and {outcome_rate:B}, respectively.",
    "Comparing {A|S} and {B|S}:\n\n1. **Size:** {A|S} has {users:A} users and {B|S} has {users:B} users.\n2. **Engagement:** users of {A|S} spend {engagement_s_mean:A}, users of {B|S} spend {engagement_s_mean:B}.\n3. **Conversion:** {A|S} has an outcome rate of {outcome_rate:A}, {B|S} of {outcome_rate:B}.\n\nAn analyst should look at the pages behind these figures before drawing conclusions.",
    "The outcome rate of {A|S} is {points:outcome_rate:A:B} than that of {B|S}. {outcome_users:A} users of {A|S} and {outcome_users:B} users of {B|S} converted.",
    "{A|S} converts at {outcome_rate:A} and {B|S} at {outcome_rate:B}. In terms of revenue, a user of {A|S} is worth {ratio:revenue_per_user:A:B} as much as a user of {B|S} ({revenue_per_user:A} against {revenue_per_user:B}).",
    "What they share: {X} was seen by {share:page:A:X} of {A|S}'s users and {share:page:B:X} of {B|S}'s users. What differs: the outcome rate, which is {outcome_rate:A} for {A|S} and {outcome_rate:B} for {B|S}. The takeaway is that the same page can sit in quite different journeys.",
    "{A|S} users are {ratio:outcome_rate:A:B!times} as likely to convert as {B|S} users ({outcome_rate:A} and {outcome_rate:B}). They spend {ratio:engagement_s_mean:A:B!times} as much time on the site ({engagement_s_mean:A} and {engagement_s_mean:B}).",
    "Whereas {share:page:A:H} of {A|S}'s users saw {H}, the figure for {B|S} is {share:page:B:H}. The lift of {H} is {lift:page:A:H} in {A|S} and {lift:page:B:H} in {B|S}.",
    "Both segments differ in depth: {A|S} has {pages_per_session:A} page views a session, {B|S} {pages_per_session:B}. Different pages a user are {different_pages_mean:A} in {A|S} and {different_pages_mean:B} in {B|S}, a ratio of {ratio:different_pages_mean:A:B}.",
    "{A|S} and {B|S} in brief:\n* {A|S}: {users:A} users, outcome rate {outcome_rate:A}, {sessions_mean:A} sessions a user\n* {B|S}: {users:B} users, outcome rate {outcome_rate:B}, {sessions_mean:B} sessions a user\nThe difference in outcome rate is {gap:outcome_rate:A:B}.",
    "In {A}, {view_share:type:A:V} of the page views are {V} pages; in {B}, it is {view_share:type:B:V}. The outcome rate of sessions is {session_rate:A} for {A} and {session_rate:B} for {B}.",
    "On which devices and from where? {share:device:A:D} of {A|S}'s users and {share:device:B:D} of {B|S}'s users use {D}. {share:country:A:N} of {A|S}'s users and {share:country:B:N} of {B|S}'s users come from {N}.",
    "Overall, {1|S} has {users:1} users and an outcome rate of {outcome_rate:1}, {2|S} has {users:2} users and {outcome_rate:2}, {3|S} has {users:3} users and {outcome_rate:3}, and {4|S} has {users:4} users and {outcome_rate:4}. For all users, the outcome rate is {outcome_rate:all}.",
    "Outcome rates by segment:\n- {1|S}: {outcome_rate:1}\n- {2|S}: {outcome_rate:2}\n- {3|S}: {outcome_rate:3}\n- {4|S}: {outcome_rate:4}\n- {5|S}: {outcome_rate:5}\n- {6|S}: {outcome_rate:6}\n- {7|S}: {outcome_rate:7}\n- {8|S}: {outcome_rate:8}\n\nAll users: {outcome_rate:all}.",
    "| Segment | Users | Outcome rate | Revenue a user |\n|---|---|---|---|\n| {1|S} | {users:1} | {outcome_rate:1} | {revenue_per_user:1} |\n| {2|S} | {users:2} | {outcome_rate:2} | {revenue_per_user:2} |\n| {3|S} | {users:3} | {outcome_rate:3} | {revenue_per_user:3} |\n| {4|S} | {users:4} | {outcome_rate:4} | {revenue_per_user:4} |",
    "Here is how the segments differ in time and visits:\n\n* **{1|S}** – {engagement_s_mean:1} engagement time a user, {sessions_mean:1} sessions a user\n* **{4|S}** – {engagement_s_mean:4} engagement time a user, {sessions_mean:4} sessions a user\n* **{7|S}** – {engagement_s_mean:7} engagement time a user, {sessions_mean:7} sessions a user",
    "The shares of all users are {share:1} for {1|S}, {share:2} for {2|S}, {share:3} for {3|S}, {share:4} for {4|S}, {share:5} for {5|S}, {share:6} for {6|S}, {share:7} for {7|S} and {share:8} for {8|S}. One-page users make up {share:group}.",
)  # fmt: skip

_ASKED: Final = (
    "{A|S} has {users:A} users, which is {share:A} of all users.",
    "There are {users:A} users in {A|S}, out of {users:all} in total.",
    "{A|name} ({A|S}): {users:A} users, {share_clustered:A} of the clustered users.",
    "The outcome rate of {A|S} is {outcome_rate:A}: {outcome_users:A} of its {users:A} users converted.",
    "{outcome_users:A} users in {A|S} converted. That corresponds to an outcome rate of {outcome_rate:A}, compared with {outcome_rate:all} across all users.",
    "Users in {A|S} spend {engagement_s_mean:A} on the site on average; the median engagement time is {engagement_s_median:A}.",
    "What sets them apart is {T}. {view_share:theme:A:T} of {A|S}'s page views are about {T}, which is {view_lift:theme:A:T} the others' share, followed by {U} at {view_lift:theme:A:U} the others' share.",
    "Users of {A|S} look at {H} ({share:page:A:H} of users, {lift:page:A:H} the others' share) and {I} ({share:page:A:I} of users, {lift:page:A:I} the others' share).",
    "The pages I would look at first for {A|S}:\n- {H}: seen by {share:page:A:H} of users, {lift:page:A:H} as likely as the rest\n- {I}: seen by {share:page:A:I} of users, {lift:page:A:I} as likely as the rest",
    "By page type, {view_share:type:A:V} of the page views of {A|S} go to {V} pages and {view_share:type:A:W} to {W} pages.",
    "{share:page:A:X} of the users in {A|S} saw {X}. For {B|S} it is {share:page:B:X}.",
    "{A|S}'s sessions begin on {K} in {entry:page:A:K} of cases and end on {L} in {exit:page:A:L} of cases.",
    "Looking at the steps between page types, {P} makes up {step:type:A:P} of {A|S}'s steps.",
    "{revenue:A} in revenue came from {A|S}, or {revenue_per_user:A} per user. For all users, revenue a user is {revenue_per_user:all}.",
    "{A|S} had {sessions:A} sessions, of which {outcome_sessions:A} converted ({session_rate:A}).",
    "I can't say from the facts what causes it. What they show is that {share:page:A:X} of {A|S}'s users saw {X} and that the outcome rate of {A|S} is {outcome_rate:A}.",
    "The facts don't include age or gender, so I can't tell you who these users are in that sense. They do show that {share:device:A:D} of {A|S}'s users are on {D} and {share:country:A:N} are from {N}.",
    "The facts give a difference of {gap:outcome_rate:A:B} in outcome rate between {A|S} ({outcome_rate:A}) and {B|S} ({outcome_rate:B}). They don't include a significance test, so I can't confirm whether it is real.",
    "The outcome rate of {A|S} is {outcome_rate:A}, with a 95% interval from {low:A} to {high:A}. For {B|S}, it is {outcome_rate:B}, with an interval from {low:B} to {high:B}.",
    "Check the intervals: {A|S} is at {outcome_rate:A} ({low:A}–{high:A}) and {B|S} at {outcome_rate:B} ({low:B}–{high:B}). If they don't overlap, the difference is unlikely to be chance alone.",
    "With {users:A} users in {A|S} and {users:B} in {B|S}, the outcome rates are {outcome_rate:A} (95% CI: {low:A} to {high:A}) and {outcome_rate:B} (95% CI: {low:B} to {high:B}).",
    "{A|S} users often come from {R}, which accounts for {share:source:A:R} of them. Another {share:source:A:Q} come from {Q}. {share:browser:A:G} of {A|S}'s users use {G}.",
    "The median number of page views in {A|S} is {page_views_median:A|0}; the mean is {page_views_mean:A}.",
    "{engagement_users:A} of the {users:A} users in {A|S} have an engagement time; {engagement_none_share:A} have none. Among those who do, the average is {engagement_s_mean:A}.",
    "In total, users of {A|S} made {page_views:A} page views in {sessions:A} sessions. That is {pages_per_session:A} page views a session.",
    "The average user across the whole site has {sessions_mean:all} sessions, {page_views_mean:all} page views and {engagement_s_mean:all} of engagement time. Users of {A|S} have {sessions_mean:A} sessions, {page_views_mean:A} page views and {engagement_s_mean:A}.",
    "For {A|S}, {B|S} and {C|S}, the outcome rates are {outcome_rate:A}, {outcome_rate:B} and {outcome_rate:C}. The revenue a user is {revenue_per_user:A}, {revenue_per_user:B} and {revenue_per_user:C}, respectively.",
    "Yes. {share:page:A:H} of {A|S}'s users saw {H}, {lift:page:A:H} the others' share.",
    "{A|S} spends {engagement_s_mean:A} per user, {B|S} {engagement_s_mean:B} and {C|S} {engagement_s_mean:C}.",
    "Based on the facts, {A|S} has an outcome rate of {outcome_rate:A!sp} and {B|S} has one of {outcome_rate:B!sp}.",
    "About {outcome_rate:A|0} of the users in {A|S} convert ({outcome_users:A} of {users:A}).",
    "Of all {users:all} users, {users:group} viewed only one page; they are not part of any segment.",
)  # fmt: skip

_IDEAS: Final = (
    "{A|S} has {users:A} users and an outcome rate of {outcome_rate:A}. {share:page:A:H} of its users saw {H}. I would start with a campaign that leads back to that page and makes the next step obvious.",
    "**Persona: Miriam, the careful planner**\nMiriam compares before she decides and comes back when she has made up her mind. This fits {A|S}, whose users make {sessions_mean:A} sessions each and view {different_pages_mean:A} different pages. {view_share:theme:A:T} of {A|S}'s page views concern {T}.\n**Campaign idea:** A short buying guide by e-mail, with a link to saved items.",
    "**Persona for {A|S}**\n- **Behavior:** {sessions_mean:A} sessions a user, {pages_per_session:A} page views a session\n- **Interests:** {T} ({view_share:theme:A:T} of page views) and {U} ({view_share:theme:A:U} of page views)\n- **Device:** {D} ({share:device:A:D} of users)\n- **Conversion:** outcome rate of {outcome_rate:A}\n\n**Idea:** Show them a curated collection right on the entry page.",
    "What could work for {A|S}: retarget visitors who left without buying, and shorten the way from the product to the cart. The facts behind this: {exit:page:A:L} of {A|S}'s sessions end on {L}, and the outcome rate is {outcome_rate:A}.",
    "Since {entry:page:A:K} of {A|S}'s sessions begin on {K}, that page is a natural place for a test. {A|S} has {users:A} users, so a test should gather enough data.\n\nIdea: place a personalised teaser near the top and measure whether more users go on to a product.",
    "\"Alex\" represents {A|S}. Alex often arrives through {R} ({share:source:A:R} of {A|S}'s users) and browses on {D} ({share:device:A:D} of {A|S}'s users). A visit covers {pages_per_session:A} pages on average. To win Alex over, try a clear offer and social proof on product pages.",
    "I'd prioritise {A|S} and {B|S}. {A|S} has {users:A} users with an outcome rate of {outcome_rate:A}; {B|S} has {users:B} users with {outcome_rate:B}. For the first, test a loyalty offer; for the second, test clearer guidance on what to do next.",
    "Campaign ideas for {A|S}:\n1. Feature content on {T}, which makes up {view_share:theme:A:T} of the segment's page views.\n2. Use {R} as the main channel, as {share:source:A:R} of its users come from there.\n3. Send a follow-up after a visit to {H}, which {share:page:A:H} of its users saw.",
    "With {revenue_per_user:A} in revenue a user and {users:A} users, {A|S} generates {revenue:A} in total. A sensible next step is an A/B test of a bundle offer for this segment.",
    "**Buyer persona: The Explorer ({A|S})**\n\nThe Explorer enjoys browsing and takes time to decide. Users in {A|S} spend {engagement_s_mean:A} on the site and view {page_views_mean:A} pages.\n\n**Goals:** find the right product without pressure.\n**Pain points:** too many similar options.\n**Message:** \"Take your time, we help you choose.\"",
    "A newsletter segment for {A|S} could centre on {T}: {view_share:theme:A:T} of {A|S}'s page views are on this theme, {view_lift:theme:A:T} the others' share. Keep the call to action light, and measure the outcome rate against today's {outcome_rate:A}.",
    "For {A|S}, localised content may help: {share:country:A:N} of its users are from {N} and {share:country:A:O} from {O}. Try a version of the landing page for the first of these countries.",
)  # fmt: skip

VALUES: Final = (*_DESCRIBED, *_COMPARED, *_ASKED, *_IDEAS)

_MOST: Final = (
    "{MAX:outcome_rate|S} converts best, with an outcome rate of {outcome_rate:MAX:outcome_rate}. {MIN:outcome_rate|S} has the lowest outcome rate, at {outcome_rate:MIN:outcome_rate}. The outcome rate of all users is {outcome_rate:all}.",
    "The segment with the highest outcome rate is {MAX:outcome_rate|S}: {outcome_rate:MAX:outcome_rate} of its users convert.",
    "{MAX:engagement_s_mean|S} spends the most time on the site, with {engagement_s_mean:MAX:engagement_s_mean} of engagement time a user. {MIN:engagement_s_mean|S} spends the least, {engagement_s_mean:MIN:engagement_s_mean}.",
    "Users of {MAX:engagement_s_mean} have the longest engagement time: {engagement_s_mean:MAX:engagement_s_mean} a user, compared with {engagement_s_mean:all} for all users.",
    "{MAX:users|S} is the largest segment with {users:MAX:users} users ({share:MAX:users} of all users), and {MIN:users|S} the smallest with {users:MIN:users} users ({share:MIN:users}).",
    "**Key takeaways**\n- Largest segment: {MAX:users|S} ({users:MAX:users} users)\n- Highest outcome rate: {MAX:outcome_rate|S} ({outcome_rate:MAX:outcome_rate})\n- Longest engagement: {MAX:engagement_s_mean|S} ({engagement_s_mean:MAX:engagement_s_mean} a user)\n- Most revenue a user: {MAX:revenue_per_user|S} ({revenue_per_user:MAX:revenue_per_user})",
    "The most valuable users are in {MAX:revenue_per_user|S}, where revenue a user is {revenue_per_user:MAX:revenue_per_user}. Across all users it is {revenue_per_user:all}.",
    "{MAX:sessions_mean|S} returns most often, with {sessions_mean:MAX:sessions_mean} sessions a user, while {MIN:sessions_mean|S} has the fewest sessions a user ({sessions_mean:MIN:sessions_mean}).",
    "The deepest visits are those of {MAX:pages_per_session|S}, with {pages_per_session:MAX:pages_per_session} page views a session.",
    "Page views a user are highest in {MAX:page_views_mean|S} ({page_views_mean:MAX:page_views_mean}) and lowest in {MIN:page_views_mean|S} ({page_views_mean:MIN:page_views_mean}).",
    "Focus first on {MAX:outcome_rate|S}, which has the highest outcome rate ({outcome_rate:MAX:outcome_rate}). Then look at {MAX:users|S}: it is the largest segment, with {users:MAX:users} users, so even a small improvement would matter.",
    "Overall, the segments differ a lot in how they convert: from {outcome_rate:MIN:outcome_rate} in {MIN:outcome_rate|S}, the lowest, to {outcome_rate:MAX:outcome_rate} in {MAX:outcome_rate|S}, the highest.",
    "{MAX:outcome_users|S} has the most converted users, {outcome_users:MAX:outcome_users} in all.",
    "{MAX:revenue|S} brings in the most revenue in total ({revenue:MAX:revenue}), and {MAX:revenue_per_user|S} the most revenue a user ({revenue_per_user:MAX:revenue_per_user}).",
    "{A|S} ranks {rank:outcome_rate:A} by outcome rate ({outcome_rate:A}) and {rank:users:A} by number of users ({users:A}).",
)  # fmt: skip

_MORE: Final = (
    "{A|S} has a {higher:outcome_rate:A:B} outcome rate than {B|S} ({outcome_rate:A} versus {outcome_rate:B}), and its engagement time is {longer:engagement_s_mean:A:B} ({engagement_s_mean:A} versus {engagement_s_mean:B}).",
    "{A|S} is {larger:users:A:B} than {B|S}: {users:A} users against {users:B}. Its revenue a user is {higher:revenue_per_user:A:B}, at {revenue_per_user:A} compared with {revenue_per_user:B}.",
    "{A|S} has {more:users:A:B} users than {B|S} ({users:A} vs. {users:B}) and {more:sessions_mean:A:B} sessions a user ({sessions_mean:A} vs. {sessions_mean:B}).",
    "The outcome rate of {A|S} ({outcome_rate:A}) is {higher:outcome_rate:A:all} than that of all users ({outcome_rate:all}). Its users view {more:page_views_mean:A:all} pages a user: {page_views_mean:A} against {page_views_mean:all}.",
    "Compared to {B|S}, users of {A|S} view {more:page_views_mean:A:B} pages ({page_views_mean:A} vs. {page_views_mean:B}) and convert at a {higher:outcome_rate:A:B} rate ({outcome_rate:A} vs. {outcome_rate:B}).",
    "- Outcome rate: {higher:outcome_rate:A:B} in {A|S} ({outcome_rate:A}) than in {B|S} ({outcome_rate:B})\n- Users: {more:users:A:B} in {A|S} ({users:A}) than in {B|S} ({users:B})\n- Engagement time: {longer:engagement_s_mean:A:B} in {A|S} ({engagement_s_mean:A}) than in {B|S} ({engagement_s_mean:B})",
    "At {engagement_s_mean:A} a user, engagement time in {A|S} is {longer:engagement_s_mean:A:all} than the average of all users ({engagement_s_mean:all}).",
    "{A|S} converts at a {higher:outcome_rate:A:B} rate than {B|S}. The outcome rates are {outcome_rate:A} and {outcome_rate:B}, a difference of {gap:outcome_rate:A:B}.",
    "{A|name} ({A|S}) and {B|name} ({B|S}) differ in value: revenue a user is {higher:revenue_per_user:A:B} in the former ({revenue_per_user:A}) than in the latter ({revenue_per_user:B}).",
    "Sessions in {A|S} involve {more:pages_per_session:A:B} page views than those in {B|S}: {pages_per_session:A} and {pages_per_session:B} a session. The number of sessions a user is {higher:sessions_mean:A:B} ({sessions_mean:A} and {sessions_mean:B}).",
    "The median engagement time in {A|S} is {engagement_s_median:A}, {longer:engagement_s_median:A:B} than the {engagement_s_median:B} in {B|S}.",
    "{1|S} has a higher outcome rate than {2|S}: {outcome_rate:1} compared to {outcome_rate:2}. Their 95% intervals ({low:1} to {high:1} and {low:2} to {high:2}) do not overlap, so the difference is unlikely to be due to chance.",
    "Yes, the difference looks real. {1|S} converts at {outcome_rate:1} (95% interval {low:1}–{high:1}), and {2|S} at {outcome_rate:2} ({low:2}–{high:2}); the intervals do not overlap.",
    "I would be cautious here. The outcome rates of {5|S} and {6|S} are {outcome_rate:5} and {outcome_rate:6}, but their intervals overlap: {low:5} to {high:5} for {5|S} and {low:6} to {high:6} for {6|S}. The data does not show a clear difference.",
    "The outcome rate of {1|S} is above that of all users ({outcome_rate:1} vs. {outcome_rate:all}), that of {2|S} is below it ({outcome_rate:2}).",
    "{3|S} is the largest segment, with {users:3} users or {share:3} of all users. However, its outcome rate of {outcome_rate:3} is below the {outcome_rate:all} of all users, so there may be room for improvement.",
    "{4|S} is a small but valuable segment. It makes up only {share:4} of all users, yet its outcome rate is {outcome_rate:4} (all users: {outcome_rate:all}) and its revenue a user is {revenue_per_user:4} (all users: {revenue_per_user:all}).",
    "{7|S} is engaged but doesn't convert well. Its users make {sessions_mean:7} sessions and spend {engagement_s_mean:7} on the site, both above the averages for all users ({sessions_mean:all} and {engagement_s_mean:all}). Their outcome rate, however, is {outcome_rate:7}, below the overall {outcome_rate:all}.",
    "Despite {sessions_mean:7} sessions a user, {7|S} has an outcome rate of just {outcome_rate:7}, lower than the {outcome_rate:all} of all users. I'd investigate what holds these users back, for example with a short on-site survey.",
    "While {3|S} has the most users ({users:3}), {4|S} generates more revenue per user: {revenue_per_user:4}, compared to an overall {revenue_per_user:all}.",
    "Three points stand out:\n1. {3|S} is the biggest segment ({users:3} users).\n2. {1|S} has a higher outcome rate than {2|S} ({outcome_rate:1} vs. {outcome_rate:2}).\n3. {7|S} shows more sessions a user than average ({sessions_mean:7} vs. {sessions_mean:all}) but a lower outcome rate ({outcome_rate:7} vs. {outcome_rate:all}).",
    "{4|S} outperforms the site average: its outcome rate is {outcome_rate:4}, compared with {outcome_rate:all} for all users. With {users:4} users, it is a niche worth protecting, for instance with early access to new products.",
    "**What is different:** {1|S} converts more often than {2|S} ({outcome_rate:1} vs. {outcome_rate:2}).\n**What is alike:** Both include users who saw {X} ({share:page:1:X} of {1|S}, {share:page:2:X} of {2|S}).\n**Takeaway:** Test what works for {1|S} on {2|S}, and measure the effect.",
    "**What should we do with {7|S}?**\n\n- It has {users:7} users and an above-average engagement time of {engagement_s_mean:7}.\n- Its outcome rate of {outcome_rate:7} is below average ({outcome_rate:all}).\n- Suggestion: offer guidance or a limited-time incentive once they return.",
    "Compared with all users, {A|S} shows a {higher:sessions_mean:A:all} number of sessions a user ({sessions_mean:A} vs. {sessions_mean:all}) and {higher:revenue_per_user:A:all} revenue a user ({revenue_per_user:A} vs. {revenue_per_user:all}).",
)  # fmt: skip

ORDER: Final = (*_MOST, *_MORE)
INVENTED: Final = (
    "Together, {A|S} and {B|S} have {sum:users} users. Both are worth a campaign of their own.",
    "{A|S} and {B|S} account for {sum:outcome_users} converted users between them.",
    "On average, {A|S} and {B|S} have an outcome rate of {mean:outcome_rate}.",
    "{A|S} could bring in another {made} users if the campaign works.",
    "The total number of sessions of {A|S} and {B|S} is {sum:sessions}.",
    "{A|S} and {B|S} are {difference:users} users apart in size.",
)
SPELT: Final = (
    "{A|S} has about a dozen users.",
    "Nine out of ten users of {A|S} convert.",
    "{A|S} has roughly two hundred users.",
)
