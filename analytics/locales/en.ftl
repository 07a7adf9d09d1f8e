# What the page and the report say. Numbers, shares and dates arrive already written; `n` is the number itself, for the form of a noun.

brand = Qamtu
language = English
subject = Voter coverage
scope-units = Part of the campaign: { $units }
synthetic-mark = Synthetic data
synthetic-note = Every person, meeting and figure here is invented, to show how Qamtu works.
as-of = As of { $date }, { $time } ({ $zone })
quiet = { $days ->
    [one] No new record has come in for { $number } day; what happened since is not in these figures.
   *[other] No new record has come in for { $number } days; what happened since is not in these figures.
}
foot = Snapshot { $snapshot }, definition { $definition }
percent = { $value }%
percent-range = { $from }–{ $to }%
range = { $from }–{ $to }
count-share = { $count } ({ $share })
at-most = at most { $most }
no-data = no data
no-meetings = no meetings
no-voters = no voters
none-due = none due yet
counted-only = counted only
withheld = withheld

headline-question = How many voters have the meetings reached?
headline-label = voters reached (unique)
headline-label-exact = voters reached (unique); method: exact
headline-label-bounds = voters reached (unique); method: bounds, since some were only counted
headline-label-no-meetings = voters reached: no meeting is reported as held yet
headline-label-counted-only = different voters, within bounds: people were counted, nobody was identified
headline-of-dated = { $n ->
    [one] of { $voters } registered voter (newest precinct count: { $date })
   *[other] of { $voters } registered voters (newest precinct count: { $date })
}
headline-of-unknown = the number of registered voters is unknown: no precinct has been counted
headline-share = coverage (unique)
gaps-title = What is not known yet
gap-units = No district or city is defined, so there is no map and no table of districts.
gap-units-action = Send each of them (event qamtu.unit.defined.v1).
gap-reader-units = These codes of the configuration name no unit of the campaign, so nothing of them is shown: { $units }.
gap-reader-units-action = Correct reader.units where the service is started, or send the missing units (event qamtu.unit.defined.v1).
gap-voters = No precinct has been counted, so the number of registered voters is unknown: coverage and the ceiling cannot be computed, and people who state their precinct cannot be counted as reached.
gap-voters-action = Send the number of voters of each precinct (event qamtu.precinct.counted.v1).
gap-unit-voters = The number of voters is unknown for: { $units }. Their coverage is missing, and the coverage of the whole campaign leaves their voters out.
gap-meetings = No meeting is reported as held yet, so nobody is counted.
gap-meetings-action = Send the report of each meeting that was held (event qamtu.meeting.held.v1); its attendance counts from then on.
gap-counts = Meetings were held, but there is neither an attendance list nor a headcount of any of them.
gap-counts-action = Send attendance lists (event qamtu.attendance.recorded.v1) or headcounts (event qamtu.headcount.reported.v1).
gap-identified = Nobody was identified at the meetings, so how many different voters came is known within bounds only.
gap-identified-action = Where the audience may be identified, record attendance by national number and with consent (event qamtu.attendance.recorded.v1).

range-title = What is known and what is possible
range-finding = { $share } of the planned reach is achieved
range-reached = Reached, identified: { $count }
range-bounds = Possible, including people who were only counted: { $bounds }
range-planned = Planned reach: { $count }
range-ceiling = Arithmetic ceiling: { $count }

card-plan = Is the plan being kept?
card-plan-detail = { $n ->
    [one] { $held } of { $due } meeting due by { $date } held; { $plans }
   *[other] { $held } of { $due } meetings due by { $date } held; { $plans }
}
card-plan-sent = plans sent so far: { $sent }
card-plan-sent-of = plans sent so far: { $sent }; meetings set for the whole campaign: { $planned }
card-bounds = How many could it be?
card-bounds-detail = Bounds: { $shares } of registered voters. Whoever was counted but not identified may be new, or may have come before
card-bounds-estimate = { $detail }. Estimate: about { $reached }, with 90% confidence { $low } to { $high }
card-bounds-no-voters = Bounds. The number of registered voters is unknown, so they have no shares, and the upper one is not limited by it
card-bounds-withheld = Bounds of the voters reached
card-planned = How much of the planned reach is achieved?
card-planned-detail = Reached: { $reached }; planned: { $planned } different voters
card-ceiling = What is the most that this plan can reach?
card-ceiling-detail = { $ceiling } voters, if all { $planned } meetings draw { $average } people like those counted so far, and nobody comes twice
card-identified = How many attendances are identified?
card-identified-detail = Identified share: { $identified } of { $gross } attendances. The others were counted as heads in the room
card-frequency = How often did identified voters come?
times = { $times ->
    [1] once: { $people }
    [2] twice: { $people }
   *[other] { $times } times: { $people }
}
times-or-more = { $times } times or more: { $people }

map-title = Where voters were reached
map-finding = Coverage is highest in { $high } ({ $high-share }) and lowest in { $low } ({ $low-share })
map-note = Resident voters reached, as a share of the registered voters of their district or city
map-left-out = Not on the map, since they have no place of their own there: { $units }.
map-tile = { $unit }: { $share } of its registered voters reached, { $reached } of { $voters }
map-tile-short = { $unit }: { $share }
map-legend-error = above 100%: an error

units-title = Districts and cities
units-title-districts = Districts
units-title-cities = Cities
units-note = The last row is counted separately for the whole campaign and is not a sum: somebody who came to meetings in two districts is one person there.
units-total = Whole campaign
withheld-note = { $n ->
   *[other] Counts of 1 to { $last } people are withheld, and others from which they could be worked out.
}
column-unit = District or city
column-district = District
column-city = City
column-voters = Voters
column-planned = Plans sent
column-held = Held
column-gross = Attendances
column-residents = Resident voters reached
column-coverage = Coverage
column-here = Reached at meetings here
column-bounds = Bounds (meetings here)
column-coalition = Coalition
column-reached = Voters reached
column-category = Category
column-week = Week from
column-first = Reached for the first time
column-to-date = Reached so far

weeks-title = How reach grew from week to week
weeks-table = All weeks
weeks-finding = { $n ->
    [one] In the week from { $day }, { $first } voter was reached for the first time
   *[other] In the week from { $day }, { $first } voters were reached for the first time
}
weeks-note = Different voters reached up to the end of each week, which begins on the Monday shown
weeks-before = reached before
weeks-first = reached for the first time
weeks-held = { $n ->
    [one] { $held } meeting
   *[other] { $held } meetings
}
weeks-column = { $n ->
    [one] Week from { $day }: { $held } meeting, { $first } reached for the first time, { $total } reached so far
   *[other] Week from { $day }: { $held } meetings, { $first } reached for the first time, { $total } reached so far
}

coalitions-title = Coalitions
coalitions-note = One voter may have come to meetings of several coalitions, so the numbers of voters do not add up.
categories-title = Categories of the population
categories-note = A meeting may be for several categories, so they overlap and do not add up. Audiences that would reveal belief, origin or health are only counted, never identified.

trust-title = Can the data be trusted?
trust-missing = Missing reports
trust-missing-detail = Meetings that were due and are not reported
trust-late = Late reports
trust-late-detail = Received more than 24 hours after the meeting began; of the reports due { $share } came within 24 hours, { $within } within 72
trust-unlawful = Held outside the campaign days
trust-unlawful-detail = Not counted for the plan, but their audience is counted
trust-contested = Contested meetings
trust-contested-detail = Two reports contradict each other; somebody should decide which one is right
trust-cancelled = Cancelled
trust-cancelled-detail = Planned, and will not take place
trust-moved = Moved
trust-moved-detail = Planned, and moved to another time
trust-extra = Held without a plan
trust-extra-detail = Their audience counts, but they do not count towards the plan
trust-pending = Waiting for a plan or report
trust-pending-detail = Attendance is recorded for them, but not counted yet
trust-precincts = Precincts named in no report
trust-precincts-detail = { $n ->
    [one] Of { $all } precinct; not named in the reports of counted meetings
   *[other] Of { $all } precincts; not named in the reports of counted meetings
}
trust-outside = Attendances of people not counted as voters
trust-outside-detail = Identified people who are not registered voters of the campaign’s territory; not counted as reached. Without a voter roll: those who do not state that they are adults living there.
trust-weak = Identified by phone only
trust-weak-detail = Attendances; not counted as reached, since a telephone number does not identify a person
trust-rejected = Unreadable records
trust-rejected-detail = Records that could not be read; kept, and not counted
trust-conflicts = Conflicting records
trust-conflicts-detail = The same event was sent with different contents; the earliest version counts
trust-over = More reached than registered
trust-over-detail = Above 100% something is wrong: the count of voters is too low, or people are counted twice
trust-over-units-detail = Above 100% something is wrong: the count of voters is too low, or people are counted twice. Where: { $units }
trust-roll = Precincts with a voter roll
trust-roll-detail = { $n ->
    [one] Of { $all } precinct; until every one has a roll, people count by where they say they live
   *[other] Of { $all } precincts; until every one has a roll, people count by where they say they live
}
trust-unreachable = Precincts where no meeting can be held
trust-unreachable-detail = { $n ->
    [one] The { $voters } voter registered there stays in the number that percentages are taken of. { $places }
   *[other] The { $voters } voters registered there stay in the number that percentages are taken of. { $places }
}
trust-unreachable-place = { $unit }, precinct no. { $number }: { $reason }, since { $day }
trust-unreachable-unknown-place = precinct { $number }: { $reason }, since { $day }
trust-unreachable-more = and { $count } more
unreachable-road = no passable road
unreachable-disaster = flood or another disaster
unreachable-quarantine = quarantine
unreachable-venue = no place for a meeting
unreachable-absence = residents are elsewhere for a time
unreachable-other = another reason
trust-nobody-eligible = Held, with nobody eligible
trust-nobody-eligible-detail = Nobody there was a voter of these units, for example pupils; held, and not in the voters reached or their bounds
trust-uncounted = Held, but nobody was counted
trust-uncounted-detail = Neither a sheet nor a headcount came in; the upper bound leaves out whoever was there
trust-newest = Newest record
trust-newest-detail = { $days ->
    [0] Received on the date of these figures
    [one] Received { $number } day before the date of these figures
   *[other] Received { $number } days before the date of these figures
}
trust-dangling = References without effect
trust-dangling-detail = Corrections or retractions that name no record of the same meeting; send them again with the right id
trust-lookalike = Meeting ids that read alike
trust-lookalike-detail = They differ only in capital letters or in characters that look the same; if they mean one meeting, it is counted twice
trust-ahead = Records from a clock that was ahead
trust-ahead-detail = They will count once their time has come; check the clock of the server that received them
trust-premature = Reported before they begin
trust-premature-detail = The report says that the meeting was held, but it begins later; it counts once it has begun

definitions-title = What the figures mean
define-reached = Voters reached (unique)
define-reached-formula = U = number of different eligible voters at counted meetings
define-reached-text = A voter counts once, however often they came. Only registered voters of the campaign’s territory who were identified by a national number are counted; the number itself is not stored. Without a voter roll: those who state that they are adults living there.
define-coverage = Coverage (unique)
define-coverage-formula = 100 × U / N
define-coverage-text = N is the number of registered voters by the newest count of each precinct; the date shown is that of the newest of them. Coverage says who was present, not what they think or how they vote.
define-bounds = Bounds
define-bounds-formula = U to U + people counted but not identified
define-bounds-text = The true number lies between these: of the people who were only counted, it may be that nobody is new or that everybody is. A stated minimum of eligible people raises the lower bound; the upper one is never above N.
define-estimate = Estimate
define-estimate-formula = negative binomial model
define-estimate-text = How many different voters probably came, if those who were only counted came again as often as the others. Rounded; always between the bounds. None if fewer than 30% of attendances were identified. People at meetings that nobody counted are not included.
define-gross = Attendances
define-gross-formula = G = sum over meetings of the larger of headcount and attendance list
define-gross-text = Whoever came to three meetings counts three times. If two people made a count, the lower one is used; the bounds use the higher one.
define-residents = Resident voters reached
define-residents-formula = U of those who live in the district or city, wherever they attended
define-residents-text = The map and the coverage of a district show its resident voters. “Reached at meetings here” counts everybody who came there, also from elsewhere.
define-plan = Plan fulfilment
define-plan-formula = 100 × planned meetings held / meetings due
define-plan-text = A planned meeting is due if its day has come and it is not cancelled. “Plans sent” are the meetings whose plan has come in. Extra meetings are shown separately.
define-ceiling = Arithmetic ceiling
define-ceiling-formula = planned meetings × G / meetings counted, at most N
define-ceiling-text = How many voters the whole plan could reach if nobody came twice and meetings were as large as those counted so far.
define-identified = Identified share
define-identified-formula = 100 × identified attendances / G
define-identified-text = The smaller it is, the wider the bounds.
define-withheld = Withheld
define-withheld-formula = { $n ->
   *[other] from 1 to { $last } people
}
define-withheld-text = { $n ->
   *[other] Small counts could reveal individual people, so counts from 1 to { $last } are not shown, nor are others from which they could be worked out. If there was nobody, 0 is shown.
}
define-missing = Where there is no number
define-missing-formula = no data · no meetings · counted only · 0
define-missing-text = “No data”: the data needed for the figure have not been sent. “No meetings”: there was nothing to count. “Counted only”: people were counted, but nobody was identified. 0: it is known that there was nobody.

page-title = { $campaign }: voter coverage
page-skip = Skip to the figures
page-languages = Languages
page-sort = Sort by { $column }
page-csv = Figures for programs (CSV, comma)
page-csv-spreadsheet = Figures for a spreadsheet (CSV, semicolon)
page-pdf = Report (PDF)
page-stale = The warehouse cannot be reached at the moment. These are the figures of the last snapshot; they will update automatically.
page-denied = The warehouse refuses this service’s user name or password. The figures of the last snapshot are shown; whoever runs the service must correct clickhouse.user or clickhouse.password.
page-held-back = Newer records have come in. Comparing them with the figures on this page would reveal data about a few people, so they will be shown together with later ones.
page-empty-title = No figures yet
page-empty = The first figures of this campaign are being prepared. This page will show them as soon as there is a snapshot.
page-empty-stale = The warehouse cannot be reached at the moment. The first figures will appear as soon as it answers.
page-empty-denied = The warehouse refuses this service’s user name or password. Whoever runs the service must correct clickhouse.user or clickhouse.password.
page-unknown-title = Campaign { $campaign } is not configured
page-unknown = This page was started for a campaign that the warehouse does not know. Check its name where the service is started.
page-unknown-known = Configured campaigns: { $known }.
page-unknown-none = No campaign is configured yet: publish a campaign file first.
page-private = Only counts are shown here, no names; small counts are withheld.

error-not-found-title = There is no such page
error-not-found = The address may be mistyped, or the page may have moved.
error-method-title = This can only be read
error-method = The page can only be opened and read; nothing can be sent to it.
error-forbidden-title = You do not have access to this page
error-forbidden = Your role does not include this page. Ask whoever runs Qamtu if you need it.
error-internal-title = Something went wrong here
error-internal = The fault is on our side and has been noted. Please try again in a minute.
error-unavailable-title = Not ready yet
error-unavailable = There are no figures to show yet. Please try again in a minute.
error-host-title = This address is not ours
error-host = The name in the address is not one under which this service is reached. The operator can add it to the setting serve.hosts.
error-reference = For the operator: { $id }
error-back = To the figures

slice-invalid-title = This query cannot be answered
slice-other-campaign = This service has the figures of the campaign { $campaign }. Put its id into the address.
slice-parameter = There is no parameter "{ $value }". Use by, where, measures and format.
slice-format = There is no format "{ $value }". Use json, csv, xlsx or parquet.
slice-dimension = There is no dimension "{ $value }". Choose from: { $known }.
slice-value = The dimension { $dimension } has no value "{ $value }". Choose from: { $known }.
slice-value-format = "{ $value }" is not a value of the dimension { $dimension }. Write it like { $example }.
slice-filter = "{ $value }" is not a filter. Write it like unit=CODE, unit=CODE,CODE or day>=2026-02-20, with =, >= or <=.
slice-unordered = The values of the dimension { $dimension } have no order. Use = instead of >= and <=.
slice-no-roll = The dimension { $dimension } is known from the electoral roll only, and some precincts have no roll. Send the missing rolls, or use another dimension.
slice-grouping = A query has at most two dimensions, each once. Leave out the others.
slice-rows = The query has { $rows } rows, and at most { $most } are possible. Use one dimension, or one with fewer values.
slice-repeated = "{ $value }" is named twice. Leave out one of them.
slice-reader-measure = The measure { $measure } is not shown here. Choose from: { $known }.
slice-reader-dimension = Figures of people are not shown by { $dimension }. Choose from: { $known }; or ask for figures of meetings alone.
slice-reader-dimensions = Figures of people are shown by at most { $most } dimensions, filters included. Leave out some, or ask for figures of meetings alone.
slice-reader-filter = The filter "{ $value }" is not possible with figures of people. Write = and one value, or group by its dimension.
slice-reader-units = Figures of people are shown for each unit. Group by unit, or choose one of: { $units }.
slice-scope = The campaign has none of the units you may see: { $units }. Whoever runs Qamtu can correct the setting reader.units.
slice-measure = There is no measure "{ $value }". Choose from: { $known }.
slice-not-of-people = The measure { $measure } is a figure of meetings, and with the dimension { $dimension } a query has figures of people. Leave out one of them.
slice-not-ready = The data is still being read. Please try again in a few seconds.
slice-busy-title = Other queries are still running
slice-busy = Queries are answered one after another. Please try again in a few seconds.

doubt-none = No held meeting is doubtful.
doubt-copied = The list has nearly the same voters as that of { $other }: { $common } in common, { $percent }%.
doubt-capacity = { $people } people came, and the venue holds { $capacity }.
doubt-precinct = { $people } people came, and the precinct has { $voters } registered voters.
doubt-travel = { $member } also spoke at { $other } in another unit, { $minutes } minutes apart.
doubt-late = The report came { $days } days after the meeting.
doubt-burst = The report came within ten minutes with others of the coalition, { $reports } in all.
doubt-heaping = { $coalition }: { $round } of { $headcounts } headcounts end in 0; of counted ones it would be about one in ten.
doubt-figures = Figures
doubt-all = all meetings
doubt-without = without doubtful numbers
doubt-note = A doubt is no proof, and nothing was deleted. Late reports do not put numbers in doubt.

equity-coverage = coverage, %
equity-precincts = precincts
equity-with-meeting = with a meeting
equity-effective = effective
equity-summary = Largest difference between units, in percentage points: { $gap }. Gini coefficient of precincts: { $gini }. Precincts: { $precincts }; without a meeting: { $without }; where nobody was reached: { $nobody }.
equity-target = { $units } of { $all } units have reached the share that the campaign is to reach: { $target }%.
equity-note = Effective precincts: how many precincts with equally many meetings would be as spread. Far fewer than meetings means much effort in few places.

forecast-now = { $n ->
        [one] One planned meeting remains.
       *[other] { $remaining } planned meetings remain.
    } Expected to be held: about { $held }. So far: { $gross } attendances; voters reached: { $reached }.
forecast-unreachable = Further planned meetings in precincts where no meeting can be held: { $unreachable }; none of them is expected.
forecast-missing = Meetings without a report: { $missing }; about { $late } of these reports are expected and included below.
forecast-range = { $low } to { $high }, median { $middle }
forecast-meetings = meetings until then
forecast-whole-plan = Plans not sent yet: { $unsent }. If these meetings are held as the others were, the campaign ends with { $gross } attendances; voters reached: { $reached }.
forecast-rate = Voters reached for each meeting so far: { $so-far }. Needed for the target of { $target }: { $needed } new voters for each meeting that is still held.
forecast-ceiling = Even if every planned meeting were held and nobody came twice, about { $ceiling } voters would be reached.
forecast-few-identified = There is no forecast of the voters reached: fewer than 30% of attendances were identified.
forecast-no-solution = There is no forecast of the voters reached: how often people come again cannot be estimated yet.
forecast-nothing-known = There is no forecast of the voters reached: nobody was counted yet, nobody counted who came to some meetings, or the number of registered voters is unknown.
forecast-note = Expected numbers, not counts: 80 of 100 random continuations of the campaign lie in these ranges, if attendance stays as it was.

verification-region = all units
verification-meetings = recounted meetings
verification-unchanged = unchanged
verification-reported = people reported
verification-recounted = people recounted
verification-factor = recounted, % of reported
verification-no-recounts = No headcount of a held meeting was recounted.
verification-recount-note = Which meetings are recounted is decided and not drawn at random, so these numbers change no other figure.
verification-no-surveys = No survey was reported.
verification-survey = survey
verification-asked = asked
verification-attended = had been at a meeting
verification-interval = %, with 95% interval
verification-share = { $share } ({ $low }–{ $high })
verification-counted = counted by then, %
verification-bounds = bounds, %
verification-range = { $low }–{ $high }
verification-verdict = comparison
verification-agrees = no contradiction
verification-higher = survey above the upper bound
verification-lower = survey below the lower bound
verification-not-comparable = cannot be compared
verification-contested = results of this survey differ
verification-survey-note = Design effect: { $effect }. Counted are the meetings up to the day of the survey. A survey misses some people too, so a contradiction does not tell which of the two is wrong.
verification-lqas-higher = { $survey }: { $attended } of { $asked } had been at a meeting, at least { $value } are needed. So the share is taken to be at least { $higher }%. Probability of error: { $rejects }% if the share is { $higher }%, { $accepts }% if it is { $lower }%.
verification-lqas-lower = { $survey }: { $attended } of { $asked } had been at a meeting, at least { $value } are needed. So the share is taken to be at most { $lower }%. Probability of error: { $rejects }% if the share is { $higher }%, { $accepts }% if it is { $lower }%.
verification-lqas-small = { $survey }: { $attended } of { $asked } had been at a meeting. Too few were asked to tell { $higher }% from { $lower }%: with the best decision value, { $value }, the probability of error is { $rejects }% if the share is { $higher }%, and { $accepts }% if it is { $lower }%.
verification-lqas-note = Number of people from which on a sample is always large enough to tell { $higher }% from { $lower }%: { $sample }. The probabilities are exact for people drawn at random one by one; in groups of neighbours errors are more frequent.
verification-lqas-many = more than 2,000

missing-summary = Meetings due: { $due }. Reported within 24 hours: { $time }, later: { $late }. Without a report: { $missing }.
missing-members = coalition members
missing-start = start
missing-days = days
missing-state = report
missing-overdue = overdue
missing-in-time = not late yet

diff-earlier = earlier snapshot
diff-later = later snapshot
diff-cause = Cause
diff-contacts = Attendances of voters
diff-before = before
diff-new = new meetings
diff-late = late reports
diff-corrections = corrections and added lists
diff-roll = roll or settings
diff-definition = definition
diff-after = after
diff-unknown = It is not known which meetings did not change: all of them count as corrected, and the roll has no part of its own.
diff-units = Voters reached, by unit:
diff-voters = Registered voters: { $before } before, { $after } after.
next-summary = { $n ->
    [one] { $remaining } planned meeting remains. It is expected to reach { $voters } voters for the first time.
   *[other] { $remaining } planned meetings remain. Together they are expected to reach { $voters } voters for the first time.
}
next-nothing-held = No meeting whose attendance is known has been held yet, so there is nothing to learn from.
next-none = No other planned meeting remains, and there is nothing to propose: the last lawful day has passed, the registered voters of the precincts are unknown, or no meeting can be held in any of them.
next-unreachable = Planned where no meeting can be held; move or cancel them:
next-proposals = Precincts where a further meeting of average size would reach most new voters:
next-note = Expected numbers, not counts: they follow from the meetings held so far.
next-rank = no.
next-meeting = meeting
next-day = day
next-precinct = precinct
next-format = format
next-people = people
next-voters = new voters
next-reason = reason
next-no-meeting-yet = No meeting has been held in this precinct yet. It has { $voters } registered voters.
next-few-reached = Few came from here so far: { $share } of the registered voters, less than in the whole campaign.
next-large-audience = Many people are expected: { $people }.
next-well-reached = { $share } of the registered voters here came before, so fewer of those who come are new.

report-title = Report on voter coverage
report-page = Page { $page } of { $pages }
report-letters = Letters that the fonts of this report lack are written as their Unicode number, such as [U+6751].
report-author = Qamtu
estimates-group = meetings in
estimates-identified = identified, %
estimates-reached = reached
estimates-bounds = bounds
estimates-estimate = estimate (90%)
estimates-random = random duplication
estimates-ratio = same ratio
estimates-value = about { $reached } ({ $low } to { $high })
estimates-few = none: too few were identified
estimates-none = none: the model has no solution
estimates-note = Assumed: { $share }% of the people who were only counted are voters; at least { $minimum }% of the attendances are identified. The last two columns are for comparison only: they are mostly too high where some people come often and others never.

two-lists-none = No held meeting was recorded both on a sheet and without one.
two-lists-sheet = on a sheet
two-lists-check-in = without a sheet
two-lists-both = on both
two-lists-people = with a national id (95%)
two-lists-heads = headcount
two-lists-few = none: too few on both
two-lists-note = An estimate, not a count (Chapman): it needs at least { $least } people on both lists, and is too low where those who sign also check in. Only people known by a national id are compared and estimated; the headcount has everybody.
