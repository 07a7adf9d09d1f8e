//! Splits the digits of a text into groups, and groups into chains that may be one number.
//!
//! Guarantees: chains are separated by letters, by a comma or semicolon with a space (a list), by more than three other characters, by
//! dates, and by the hyphens of a UUID.

/// Longest separator inside one number, in characters.
const GAP_MAX: usize = 3;

/// Adjacent digits, and the separator before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DigitGroup<'t> {
    /// The digits, all ASCII.
    pub digits: &'t str,
    /// Characters between the previous group and this one.
    pub gap: &'t str,
}

impl DigitGroup<'_> {
    /// Whether the digits are a date with a time, such as `20260213150027` in a generated code.
    pub fn is_timestamp(&self) -> bool {
        let within = |from: usize, most: &str| self.digits.get(from..from + 2).is_some_and(|two| two <= most);
        let date = self.digits.get(..8).is_some_and(|date| is_date(&date[..4], &date[4..6], &date[6..]));
        date && (14..=17).contains(&self.digits.len()) && within(8, "23") && within(10, "59") && within(12, "59")
    }
}

/// The chains of a text: groups of digits that may be one number.
pub(super) fn chains(text: &str) -> Vec<Vec<DigitGroup<'_>>> {
    let mut chains: Vec<Vec<DigitGroup<'_>>> = Vec::new();
    for group in groups(text) {
        let gap_begins = group.gap.as_ptr() as usize - text.as_ptr() as usize;
        match chains.last_mut() {
            Some(chain) if is_inside_number(group.gap) && !is_uuid_hyphen(text, gap_begins) => chain.push(group),
            _ => chains.push(vec![group]),
        }
    }
    chains.iter().flat_map(|chain| without_dates(chain)).collect()
}

/// Every group of digits with the separator before it.
fn groups(text: &str) -> impl Iterator<Item = DigitGroup<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let begin = rest.find(|c: char| c.is_ascii_digit())?;
        let (gap, from) = rest.split_at(begin);
        let (digits, after) = from.split_at(from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len()));
        rest = after;
        Some(DigitGroup { digits, gap })
    })
}

fn is_inside_number(gap: &str) -> bool {
    let list = gap.contains([',', ';']) && gap.contains(char::is_whitespace);
    !list && gap.chars().count() <= GAP_MAX && !gap.chars().any(char::is_alphanumeric)
}

/// Length of a UUID, and the positions of its hyphens.
const UUID_BYTES: usize = 36;
const UUID_HYPHENS: [usize; 4] = [8, 13, 18, 23];

/// Whether the byte at `at` is a hyphen of a UUID.
fn is_uuid_hyphen(text: &str, at: usize) -> bool {
    let is_uuid = |begin: usize| {
        let Some(uuid) = text.as_bytes().get(begin..begin + UUID_BYTES) else { return false };
        uuid.iter().enumerate().all(|(at, byte)| if UUID_HYPHENS.contains(&at) { *byte == b'-' } else { byte.is_ascii_hexdigit() })
    };
    UUID_HYPHENS.iter().filter_map(|hyphen| at.checked_sub(*hyphen)).any(is_uuid)
}

/// The parts of a chain between dates.
fn without_dates<'t>(chain: &[DigitGroup<'t>]) -> Vec<Vec<DigitGroup<'t>>> {
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

/// Whether this is a date with a four-digit year from 1900 to 2099.
fn is_date(year: &str, month: &str, day: &str) -> bool {
    let within = |text: &str, most: u32| text.len() <= 2 && text.parse().is_ok_and(|number: u32| (1..=most).contains(&number));
    year.len() == 4 && (year.starts_with("19") || year.starts_with("20")) && within(month, 12) && within(day, 31)
}
