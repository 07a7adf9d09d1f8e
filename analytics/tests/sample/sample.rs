//! A sample coverage: the 17 units of a real region with invented figures that add up, the same at every run.

use std::path::Path;

use qamtu_analytics::{Coverage, Snapshot, SnapshotStore};
use serde_json::{Value, json};

/// Code, names, voters, planned meetings, tile.
type UnitRow = (&'static str, [&'static str; 3], u64, u64, (u8, u8));

const UNITS: [UnitRow; 17] = [
    ("ARY", ["Арыс қаласы", "город Арысь", "Arys city"], 45_941, 74, (3, 1)),
    ("BAI", ["Бәйдібек ауданы", "район Байдибека", "Baidibek district"], 28_978, 77, (1, 2)),
    ("KAZ", ["Қазығұрт ауданы", "Казыгуртский район", "Kazygurt district"], 63_958, 118, (4, 2)),
    ("KEL", ["Келес ауданы", "Келесский район", "Keles district"], 73_029, 121, (5, 1)),
    ("KEN", ["Кентау қаласы", "город Кентау", "Kentau city"], 45_386, 70, (1, 1)),
    ("MAK", ["Мақтаарал ауданы", "Мактааральский район", "Maktaaral district"], 71_062, 120, (6, 1)),
    ("ORD", ["Ордабасы ауданы", "Ордабасинский район", "Ordabasy district"], 68_707, 108, (2, 1)),
    ("OTY", ["Отырар ауданы", "Отрарский район", "Otyrar district"], 29_756, 67, (3, 0)),
    ("SAI", ["Сайрам ауданы", "Сайрамский район", "Sairam district"], 131_920, 199, (2, 2)),
    ("SAR", ["Сарыағаш ауданы", "Сарыагашский район", "Saryagash district"], 122_837, 184, (4, 1)),
    ("SAU", ["Сауран ауданы", "Сауранский район", "Sauran district"], 62_674, 97, (1, 0)),
    ("SHA", ["Шардара ауданы", "Шардаринский район", "Shardara district"], 44_308, 71, (4, 0)),
    ("SOZ", ["Созақ ауданы", "Сузакский район", "Sozak district"], 36_008, 71, (0, 1)),
    ("TOL", ["Төле би ауданы", "Толебийский район", "Tole bi district"], 68_468, 128, (3, 3)),
    ("TRK", ["Түркістан қаласы", "город Туркестан", "Turkistan city"], 136_000, 179, (2, 0)),
    ("TUL", ["Түлкібас ауданы", "Тюлькубасский район", "Tulkibas district"], 61_379, 113, (2, 3)),
    ("ZHE", ["Жетісай ауданы", "Жетысайский район", "Zhetisay district"], 104_589, 162, (5, 0)),
];

const REGIONAL: [&str; 3] = [
    "«Әділетті және озық Қазақстанның Халықтық Конституциясы үшін!» облыстық коалициясы",
    "Региональная коалиция «За народную Конституцию справедливого и прогрессивного Казахстана!»",
    "Regional coalition For a People's Constitution of a Just and Progressive Kazakhstan",
];

const CATEGORIES: [(&str, [&str; 3]); 6] = [
    ("AGRO", ["Ауыл шаруашылығы", "Сельское хозяйство", "Farming"]),
    ("ETHNOCULTURAL", ["Этномәдени бірлестіктер", "Этнокультурные объединения", "Ethnocultural associations"]),
    ("LARGE_FAMILY", ["Көпбалалы отбасылар", "Многодетные семьи", "Large families"]),
    ("PENSIONER_VETERAN", ["Зейнеткерлер мен ардагерлер", "Пенсионеры и ветераны", "Pensioners and veterans"]),
    ("STUDENT", ["Студенттер", "Студенты", "Students"]),
    ("WORK_COLLECTIVE", ["Еңбек ұжымдары", "Трудовые коллективы", "Work collectives"]),
];

fn names(of: [&str; 3]) -> Value {
    json!({"kk": of[0], "ru": of[1], "en": of[2]})
}

/// Figures of a set of meetings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    pub planned: u64,
    pub held: u64,
    pub gross: u64,
    pub identified: u64,
    pub contacts: u64,
    pub reached: u64,
    pub weak: u64,
    pub unidentified: u64,
}

impl Figures {
    fn of(planned: u64, place: u64) -> Self {
        let held = planned * 93 / 100 - place % 3;
        let gross = held * (58 + (place * 17) % 60);
        let identified = gross * (60 + (place * 5) % 21) / 100;
        let contacts = identified - identified * 3 / 100;
        Self {
            planned,
            held,
            gross,
            identified,
            contacts,
            reached: contacts * 88 / 100,
            weak: gross * 4 / 100,
            unidentified: gross * 51 / 50 - identified,
        }
    }

    /// A share of it, in percent.
    fn part(self, percent: u64) -> Self {
        let cut = |count: u64| count * percent / 100;
        Self {
            planned: cut(self.planned),
            held: cut(self.held),
            gross: cut(self.gross),
            identified: cut(self.identified),
            contacts: cut(self.contacts),
            reached: cut(self.reached),
            weak: cut(self.weak),
            unidentified: cut(self.unidentified),
        }
    }

    fn both(self, sign: fn(u64, u64) -> u64, other: Self) -> Self {
        Self {
            planned: sign(self.planned, other.planned),
            held: sign(self.held, other.held),
            gross: sign(self.gross, other.gross),
            identified: sign(self.identified, other.identified),
            contacts: sign(self.contacts, other.contacts),
            reached: sign(self.reached, other.reached),
            weak: sign(self.weak, other.weak),
            unidentified: sign(self.unidentified, other.unidentified),
        }
    }

    /// As figures of meetings in a coverage.
    pub fn meeting_figures(self, voters: u64) -> Value {
        json!({
            "fulfilment": {
                "planned": self.planned, "due": self.planned * 97 / 100, "held": self.held, "held_planned": self.held - self.held / 50,
                "held_extra": self.held / 60, "unlawful": self.held / 300, "cancelled": self.planned / 60, "moved": self.planned / 25,
                "missing": self.planned * 97 / 100 - (self.held - self.held / 50).min(self.planned * 97 / 100), "pending": 0,
                "contested": self.held / 500,
            },
            "audience": {
                "gross": self.gross, "identified": self.identified, "contacts": self.contacts,
                "reach": reach(self.reached, self.reached + self.unidentified, voters),
                "weak": self.weak, "outside": self.identified - self.contacts, "unidentified": self.unidentified,
                "headcount_meetings": self.held * 9 / 10, "identified_meetings": self.held * 8 / 10,
            },
        })
    }
}

/// A reach and its bounds.
pub fn reach(reached: u64, upper: u64, voters: u64) -> Value {
    json!({
        "reached": reached, "lower": reached, "upper": upper.min(voters).max(reached),
        "denominator": {"voters": voters, "date": "2026-03-01"},
        "method": if upper == reached { "exact" } else { "bounds" }, "over": reached > voters,
    })
}

/// The coverage as the JSON it is stored as, so that a test can change what it is about.
pub fn coverage() -> Value {
    let voters: u64 = UNITS.iter().map(|unit| unit.2).sum();
    let units: Vec<Figures> = UNITS.iter().zip(0..).map(|(unit, place)| Figures::of(unit.3, place)).collect();
    let sum = units.iter().fold(Figures::default(), |sum, unit| sum.both(|a, b| a + b, *unit));
    // Residents add up to the region; people at meetings of units do not, since some were seen in two.
    let residents: Vec<u64> = units.iter().map(|unit| unit.reached * 97 / 100).collect();
    let reached: u64 = residents.iter().sum();
    let region = Figures { reached, ..sum };
    let frequencies =
        [reached - reached / 10 - reached / 50 - reached / 200 - reached / 900, reached / 10, reached / 50, reached / 200, reached / 900];
    let mut whole = region.meeting_figures(voters);
    whole["fulfilment"]["pending"] = json!(4);
    json!({
        "identity": {
            "campaign": "turkistan-2026", "as_of": "2026-03-11T13:00:00Z", "definition": 1, "redaction_epoch": 0,
            "offsets": [{"topic": "events", "partition": 0, "next": 81_234}, {"topic": "events", "partition": 1, "next": 80_411}],
        },
        "campaign": {
            "names": names([
                "Түркістан облысы: Конституция жобасын түсіндіру, 2026",
                "Туркестанская область: разъяснение проекта Конституции, 2026",
                "Turkistan region: explaining the draft constitution, 2026",
            ]),
            "synthetic": true, "time_zone": "Asia/Almaty", "opens": "2026-02-12", "closes": "2026-03-13",
            "silence_day": "2026-03-14", "vote_day": "2026-03-15", "planned_meetings": 1959, "planned_reach": 125_000,
            "area": names(["Түркістан облысы", "Туркестанская область", "Turkistan region"]),
        },
        "counts": {
            "voters": voters, "precincts": 947, "units": 17, "members": 457, "coalitions": 18, "meetings_planned": 1959,
            "meetings_known": 1984, "events": 163_402, "roll_voters": voters, "roll_precincts": 947, "rejected": 3, "conflicts": 2,
        },
        "region": {
            "figures": whole, "frequencies": frequencies, "attendance_without_report": 212, "ceiling": 1959 * sum.gross / sum.held,
            "estimate": {
                "state": "estimated", "reached": reached + sum.unidentified * 6 / 10, "low": reached + sum.unidentified * 55 / 100,
                "high": reached + sum.unidentified * 65 / 100,
            },
        },
        "units": UNITS.iter().zip(&units).zip(&residents).map(|((unit, figures), residents)| json!({
            "unit": unit.0, "names": names(unit.1), "kind": if unit.1[2].ends_with("city") { "city" } else { "district" },
            "tile": {"row": unit.4.0, "column": unit.4.1}, "figures": figures.meeting_figures(unit.2),
            "residents": {"contacts": residents * 112 / 100, "reach": reach(*residents, residents + sum.unidentified, unit.2)},
        })).collect::<Vec<_>>(),
        "precincts": [{
            "precinct": "TRK-001", "unit": "TRK", "number": 900, "meetings": 0,
            "residents": {"contacts": 3, "reach": reach(2, 2, 2_658)},
        }],
        "coalitions": coalitions(&units, sum),
        "categories": CATEGORIES.iter().zip(0..).map(|((code, of), place)| json!({
            "category": code, "names": names(*of), "figures": region.part(4 + 7 * place).meeting_figures(voters),
        })).collect::<Vec<_>>(),
        "weeks": weeks(region, voters),
    })
}

fn coalitions(units: &[Figures], sum: Figures) -> Vec<Value> {
    let own: Vec<Figures> = units.iter().map(|unit| unit.part(96)).collect();
    let left = own.iter().fold(sum, |left, own| left.both(u64::saturating_sub, *own));
    let local = UNITS.iter().zip(own).map(|(unit, figures)| {
        let [kk, ru, en] = unit.1;
        let of = [format!("{kk} коалициясы"), format!("Коалиция: {ru}"), format!("Coalition of {en}")];
        json!({"coalition": unit.0, "names": names([&of[0], &of[1], &of[2]]), "unit": unit.0, "figures": figures.meeting_figures(unit.2)})
    });
    let regional = json!({"coalition": "regional", "names": names(REGIONAL), "unit": null, "figures": left.meeting_figures(1_195_000)});
    local.chain([regional]).collect()
}

fn weeks(region: Figures, voters: u64) -> Vec<Value> {
    let shares = [(7, "2026-02-09", 9), (8, "2026-02-16", 23), (9, "2026-02-23", 25), (10, "2026-03-02", 27)];
    let mut left = region;
    let mut first_left = region.reached;
    let mut weeks = Vec::new();
    for (week, monday, percent) in shares {
        let figures = region.part(percent);
        left = left.both(u64::saturating_sub, figures);
        let first = region.reached * percent / 100 - region.reached * u64::from(week as u8 - 7) / 100;
        first_left -= first;
        weeks.push((format!("2026-W{week:02}"), monday, Figures { reached: figures.contacts * 93 / 100, ..figures }, first));
    }
    weeks.push(("2026-W11".to_owned(), "2026-03-09", Figures { reached: left.contacts * 94 / 100, ..left }, first_left));
    let mut to_date = 0;
    weeks
        .into_iter()
        .map(|(week, monday, figures, first)| {
            to_date += first;
            json!({"week": week, "monday": monday, "figures": figures.meeting_figures(voters), "first_reached": first, "reached_to_date": to_date})
        })
        .collect()
}

/// Stores a coverage and returns its snapshot.
pub fn stored(folder: &Path, coverage: Value) -> Snapshot {
    let coverage: Coverage = serde_json::from_value(coverage).expect("a coverage");
    SnapshotStore::open(folder).expect("a folder").save(coverage).expect("kept").0
}
