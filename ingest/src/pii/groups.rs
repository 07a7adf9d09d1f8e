//! The digits of a text in groups: which of them may belong to one number.
//!
//! Guarantees: digits are parted by letters, by a comma or semicolon with a space (a list), by more than three other characters, and by
//! dates, which are no part of another number. Hyphens inside a UUID part its groups too.

/// Longest separator inside one number, in characters.
const GAP_MAX: usize = 3;

/// Digits written together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group<'t> {
    /// The digits.
    pub digits: &'t str,
    /// What stands between this group and the one before.
    pub gap: &'t str,
}

impl Group<'_> {
    /// Is this a date with a time, such as `20260213150027`? Such codes are made by programs.
    pub fn is_timestamp(&self) -> bool {
        let within = |from: usize, most: &str| self.digits.get(from..from + 2).is_some_and(|two| two <= most);
        let date = self.digits.get(..8).is_some_and(|date| is_date(&date[..4], &date[4..6], &date[6..]));
        date && (14..=17).contains(&self.digits.len()) && within(8, "23") && within(10, "59") && within(12, "59")
    }
}

/// The groups of digits of a text, those that may belong to one number together.
pub(super) fn chains(text: &str) -> Vec<Vec<Group<'_>>> {
    let mut chains: Vec<Vec<Group<'_>>> = Vec::new();
    for group in groups(text) {
        let gap_begins = group.gap.as_ptr() as usize - text.as_ptr() as usize;
        match chains.last_mut() {
            Some(chain) if is_inside_number(group.gap) && !is_uuid_hyphen(text, gap_begins) => chain.push(group),
            _ => chains.push(vec![group]),
        }
    }
    chains.iter().flat_map(|chain| without_dates(chain)).collect()
}

/// Every group of digits, with what stands before it.
fn groups(text: &str) -> impl Iterator<Item = Group<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let begin = rest.find(|c: char| c.is_ascii_digit())?;
        let (gap, from) = rest.split_at(begin);
        let (digits, after) = from.split_at(from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len()));
        rest = after;
        Some(Group { digits, gap })
    })
}

fn is_inside_number(gap: &str) -> bool {
    let list = gap.contains([',', ';']) && gap.contains(char::is_whitespace);
    !list && gap.chars().count() <= GAP_MAX && !gap.chars().any(char::is_alphanumeric)
}

/// Length of a UUID with its hyphens, and where those stand.
const UUID_BYTES: usize = 36;
const UUID_HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Is this a hyphen of a UUID?
fn is_uuid_hyphen(text: &str, at: usize) -> bool {
    let is_uuid = |begin: usize| {
        let Some(uuid) = text.as_bytes().get(begin..begin + UUID_BYTES) else { return false };
        uuid.iter().enumerate().all(|(at, byte)| if UUID_HYPHENS.contains(&at) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
    };
    UUID_HYPHENS.iter().filter_map(|place| at.checked_sub(*place)).any(is_uuid)
}

/// The parts of a chain between its dates.
fn without_dates<'t>(chain: &[Group<'t>]) -> Vec<Vec<Group<'t>>> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut left = chain;
    while let Some((first, rest)) = left.split_first() {
        if let [one, two, three, ..] = left
            && two.gap == three.gap
            && matches!(two.gap, "." | "-" | "/")
            && (is_date(one.digits, two.digits, three.digits) || is_date(three.digits, two.digits, one.digits))
        {
            parts.push(std::mem::take(&mut part));
            left = &left[3..];
        } else {
            part.push(*first);
            left = rest;
        }
    }
    parts.push(part);
    parts
}

/// A date of the twentieth or this century, its year in full.
fn is_date(year: &str, month: &str, day: &str) -> bool {
    let within = |text: &str, most: u32| text.len() <= 2 && text.parse().is_ok_and(|number: u32| (1..=most).contains(&number));
    year.len() == 4 && (year.starts_with("19") || year.starts_with("20")) && within(month, 12) && within(day, 31)
}
