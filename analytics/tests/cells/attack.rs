//! The attacker: knows every shown figure, the unit, coalition and audience of every meeting, and the relations between all figures.

use qamtu_analytics::published::{Published, PublishedAudience};

use crate::{
    linear_program::LinearProgram,
    world::{CATEGORIES, Meeting, Truth, WEEKS, World},
};

/// Counts that can only grow while people and meetings are added.
const GROWING: [&str; 10] = ["contacts", "reached", "repeats", "outside", "weak", "unstated", "identified", "gross", "extra", "several"];

impl LinearProgram {
    /// Counts of some meetings, and how they hang together.
    fn meetings(&mut self, of: &str, truth: &Truth) {
        let name = |column: &str| format!("{of} {column}");
        self.count(&name("contacts"), truth.contacts);
        self.count(&name("reached"), truth.reached);
        self.count(&name("repeats"), truth.contacts - truth.reached);
        self.count(&name("outside"), truth.outside);
        self.count(&name("weak"), truth.weak);
        self.count(&name("unstated"), truth.unstated);
        self.count(&name("identified"), truth.contacts + truth.outside);
        self.fact(&name("gross"), truth.gross());
        self.fact(&name("extra"), truth.extra);
        // Whoever counted heads can know that there were no more of them than people on the lists.
        if truth.extra == 0 {
            self.shown.insert(name("extra"), 0);
        }
        if truth.held == 0 {
            for column in ["contacts", "reached", "outside", "weak", "unstated"] {
                self.shown.insert(name(column), 0);
            }
        }
        self.sum(&name("contacts"), &[name("reached"), name("repeats")]);
        self.sum(&name("identified"), &[name("contacts"), name("outside")]);
        self.sum(&name("gross"), &[name("identified"), name("weak"), name("unstated"), name("extra")]);
    }

    /// Adds a published row: its true counts and the shown ones.
    fn row(&mut self, of: &str, cells: &PublishedAudience, truth: &Truth) {
        self.meetings(of, truth);
        let name = |column: &str| format!("{of} {column}");
        self.show(&name("contacts"), cells.contacts);
        self.show(&name("reached"), cells.reached);
        self.show(&name("outside"), cells.outside);
        self.show(&name("weak"), cells.weak);
        self.show(&name("identified"), cells.identified);
        self.show(&name("gross"), cells.gross);
        self.show(&name("reached"), cells.lower);
        // The upper bound gives away who was not strongly identified.
        let unidentified = truth.weak + truth.unstated + truth.extra;
        self.fact(&name("unidentified"), unidentified);
        self.sum(&name("unidentified"), &[name("weak"), name("unstated"), name("extra")]);
        if cells.upper.shown().is_some() {
            self.shown.insert(name("unidentified"), unidentified);
        }
    }

    /// Rows of a table beside the region: those reached elsewhere only, and what the rows add up to.
    fn table(&mut self, rows: &[String], whole: u64, is_partition: bool) {
        let column = |column: &str| rows.iter().map(|row| format!("{row} {column}")).collect::<Vec<_>>();
        for row in rows {
            let (reached, elsewhere) = (format!("{row} reached"), format!("reached outside {row}"));
            self.count(&elsewhere, whole - self.truth[&reached]);
            self.sum("region reached", &[reached, elsewhere]);
        }
        if !is_partition {
            for part in ["reached", "contacts", "outside", "weak", "unstated", "gross"] {
                self.within(&format!("region {part}"), &column(part));
                column(part).iter().for_each(|row| self.within(row, &[format!("region {part}")]));
            }
            return;
        }
        for part in ["contacts", "outside", "weak", "unstated", "gross", "extra"] {
            self.sum(&format!("region {part}"), &column(part));
        }
        let (all, several) = (format!("{} and others, all", rows[0]), format!("{} and others, several", rows[0]));
        let sum: u64 = column("reached").iter().map(|row| self.truth[row]).sum();
        self.fact(&all, sum);
        self.count(&several, sum - whole);
        self.sum(&all, &column("reached"));
        self.sum(&all, &["region reached".to_owned(), several]);
    }

    /// What a unit's coalition and the regional one did in each unit.
    fn shared(&mut self, world: &World) {
        let mut of_region: Vec<String> = Vec::new();
        for unit in 0..world.units {
            let (local, regional) = (format!("local in {unit}"), format!("regional in {unit}"));
            self.meetings(&local, &world.at(|meeting| meeting.unit == unit && !meeting.regional));
            self.meetings(&regional, &world.at(|meeting| meeting.unit == unit && meeting.regional));
            for part in ["contacts", "reached", "outside", "weak", "unstated", "gross", "extra"] {
                let name = |of: &str| format!("{of} {part}");
                let (here, own) = (name(&format!("unit {unit}")), name(&format!("coalition {unit}")));
                self.sum(&own, &[name(&local)]);
                if part == "reached" {
                    self.within(&here, &[name(&local), name(&regional)]);
                    self.within(&name(&regional), &[here]);
                    self.within(&name(&regional), &[name(&format!("coalition {}", world.units))]);
                    self.within(&own, &[name(&format!("unit {unit}"))]);
                } else {
                    self.sum(&here, &[name(&local), name(&regional)]);
                }
            }
            of_region.push(regional);
        }
        for part in ["contacts", "outside", "weak", "unstated", "gross", "extra"] {
            let cells: Vec<String> = of_region.iter().map(|of| format!("{of} {part}")).collect();
            self.sum(&format!("coalition {} {part}", world.units), &cells);
        }
        let cells: Vec<String> = of_region.iter().map(|of| format!("{of} reached")).collect();
        self.within(&format!("coalition {} reached", world.units), &cells);
    }

    /// People by where they live, by the week they were first reached in, and by how often they came.
    fn residents_and_weeks(&mut self, world: &World, published: &Published) {
        for (place, unit) in published.units.iter().enumerate() {
            self.cell(&format!("residents {place}"), unit.residents, world.residents(place));
        }
        self.sum("region reached", &(0..world.units).map(|unit| format!("residents {unit}")).collect::<Vec<_>>());
        for (place, week) in published.weeks.iter().enumerate() {
            let until = |last: usize, first: usize| {
                world.people.iter().filter(|person| (first..=last).contains(&world.first_week(person))).count() as u64
            };
            self.cell(&format!("first {place}"), week.first_reached, until(place, place));
            self.cell(&format!("to date {place}"), week.to_date, until(place, 0));
            self.sum(&format!("to date {place}"), &(0..=place).map(|week| format!("first {week}")).collect::<Vec<_>>());
        }
        self.sum("region reached", &(0..WEEKS).map(|week| format!("first {week}")).collect::<Vec<_>>());
    }

    /// Meetings of a week, and who came to them again.
    fn meetings_of_weeks(&mut self, world: &World, published: &Published) {
        let weeks: Vec<String> = (0..WEEKS).map(|week| format!("week {week}")).collect();
        for (place, (week, name)) in published.weeks.iter().zip(&weeks).enumerate() {
            self.meetings(name, &world.at(|meeting| meeting.week == place));
            self.show(&format!("{name} gross"), week.gross);
            let (reached, first, again) = (format!("{name} reached"), format!("first {place}"), format!("again {place}"));
            self.count(&again, self.truth[&reached] - self.truth[&first]);
            self.sum(&reached, &[first, again]);
        }
        self.table(&weeks, world.people.len() as u64, true);
    }

    /// People by how often they came: one, two, ..., and what the attendances exceed the last class's fewest by.
    fn frequencies(&mut self, world: &World, published: &Published) {
        let times: Vec<u64> = world.people.iter().map(|person| person.1.len() as u64).collect();
        let Some(last) = published.frequencies.last().map(|class| class.times) else { return };
        let mut people = Vec::new();
        for class in &published.frequencies {
            let is_in = |times: &&u64| if class.or_more { **times >= class.times } else { **times == class.times };
            let name = format!("times {}", class.times);
            self.cell(&name, class.people, times.iter().filter(is_in).count() as u64);
            people.push((class.times, name));
        }
        self.count("excess", times.iter().map(|times| times.saturating_sub(last)).sum());
        self.sum("region reached", &people.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>());
        people.push((1, "excess".to_owned()));
        self.weighted("region contacts", &people);
    }
}

/// Everything that a reader of the whole region can reckon with.
pub fn attack(world: &World, published: &Published) -> LinearProgram {
    let mut attack = tables(world, published);
    attack.meetings_of_weeks(world, published);
    attack
}

/// Everything but what hangs together with meetings of a week.
fn tables(world: &World, published: &Published) -> LinearProgram {
    let mut attack = LinearProgram::default();
    let region = world.at(|_| true);
    attack.row("region", &published.total.audience, &region);
    let units: Vec<&PublishedAudience> = published.units.iter().map(|unit| &unit.audience).collect();
    let coalitions: Vec<&PublishedAudience> = published.coalitions.iter().map(|coalition| &coalition.audience).collect();
    let categories: Vec<&PublishedAudience> = published.categories.iter().map(|category| &category.audience).collect();
    assert_eq!((units.len(), coalitions.len(), categories.len()), (world.units, world.units + 1, CATEGORIES.len()));
    let is_of = |meeting: &Meeting, coalition: usize| {
        if coalition == world.units { meeting.regional } else { meeting.unit == coalition && !meeting.regional }
    };
    let one_audience = world.meetings.iter().all(|meeting| meeting.categories.1.is_none_or(|second| second == meeting.categories.0));
    let truths = |kind: &str, place: usize| match kind {
        "unit" => world.at(|meeting| meeting.unit == place),
        "coalition" => world.at(|meeting| is_of(meeting, place)),
        _ => world.at(|meeting| meeting.is_for(place)),
    };
    for (kind, rows, is_partition) in [("unit", units, true), ("coalition", coalitions, true), ("category", categories, one_audience)] {
        let names: Vec<String> = (0..rows.len()).map(|place| format!("{kind} {place}")).collect();
        for (place, cells) in rows.into_iter().enumerate() {
            attack.row(&names[place], cells, &truths(kind, place));
        }
        attack.table(&names, region.reached, is_partition);
    }
    attack.shared(world);
    attack.residents_and_weeks(world, published);
    attack.frequencies(world, published);
    attack
}

/// What a reader can reckon with who has seen one state and then another one of the same world: both, and what changed. Left out are the
/// meetings of weeks.
pub fn sequence(before: &(World, Published), after: &(World, Published)) -> LinearProgram {
    let mut both = LinearProgram::default();
    let states = [("before", tables(&before.0, &before.1)), ("after", tables(&after.0, &after.1))];
    for (state, attack) in &states {
        let named = |name: &String| format!("{name}, {state}");
        both.truth.extend(attack.truth.iter().map(|(name, truth)| (named(name), *truth)));
        both.shown.extend(attack.shown.iter().map(|(name, count)| (named(name), *count)));
        both.people.extend(attack.people.iter().map(named));
        let relations = attack.relations.iter().map(|(terms, exact)| {
            let terms = terms.iter().map(|(weight, name)| (*weight, named(name))).collect();
            (terms, *exact)
        });
        both.relations.extend(relations);
    }
    let [(_, before), (_, after)] = &states;
    for (name, truth) in &after.truth {
        let Some(earlier) = before.truth.get(name) else { continue };
        let (change, now, then) = (format!("{name}, change"), format!("{name}, after"), format!("{name}, before"));
        // A change is a count of people too: those who came, or who are no longer of that kind.
        let (larger, smaller) = if truth >= earlier { (now, then) } else { (then, now) };
        both.fact(&change, truth.abs_diff(*earlier));
        if after.people.contains(name) {
            both.people.insert(change.clone());
        }
        if !GROWING.iter().any(|column| name.ends_with(column)) || truth < earlier {
            both.signed.insert(change.clone());
        }
        both.sum(&larger, &[smaller, change]);
    }
    both
}
