//! Finds national ids and phone numbers in texts and codes, in whatever notation they are written.
//!
//! Guarantees: the search is stricter than the contract ([`qamtu_schemas::text::Text`]), which every reader of the log applies to old
//! records too; so it stands here, at the edge, and may become stricter without making a stored record unreadable. It works on a
//! normalised copy ([`crate::notation`]) and across the usual separators ([`groups`]). Fields of a type of their own (UUIDs, instants)
//! are not searched. What it cannot find: digits written as words or as letters that look like them, in another order, encoded, spread
//! over several fields, or split by letters (signs such as `№` and `ʰ` are no letters here).

mod groups;

use groups::{Group, chains};

use crate::{
    notation,
    pseudonym::identifier,
    rejection::{Detail, Reason, Rejection},
    submission::{json::Json, spelling},
};

/// What a text may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// An individual identification number.
    NationalId,
    /// A phone number of the country.
    Phone,
}

/// Digits of a national id.
const NATIONAL_ID: usize = 12;

/// Digits of a phone number without the country's or the trunk prefix.
const PHONE: usize = 10;

/// Refuses a payload of which any text or code holds such a number; `pointer` is that of the payload.
pub fn check(data: &Json<'_>, pointer: &str) -> Result<(), Rejection> {
    match data {
        Json::Text(text) => check_text(text, pointer),
        // Most fields hold nothing: their pointer is made only when one does.
        Json::List(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| check(item, "").map_err(|rejection| below(rejection, pointer, &index.to_string()))),
        Json::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !spelling::is_typed(name))
            .try_for_each(|(name, value)| check(value, "").map_err(|rejection| below(rejection, pointer, name))),
        Json::Null | Json::Bool(_) | Json::Number(_) => Ok(()),
    }
}

/// Refuses a text or a code that holds such a number.
pub fn check_text(text: &str, pointer: &str) -> Result<(), Rejection> {
    match find(text) {
        None => Ok(()),
        Some(Found::NationalId) => Err(Rejection::new(Reason::NationalId, Detail::TextNationalId).at(pointer)),
        Some(Found::Phone) => Err(Rejection::new(Reason::PhoneNumber, Detail::TextPhone).at(pointer)),
    }
}

fn below(rejection: Rejection, pointer: &str, name: &str) -> Rejection {
    let rest = rejection.pointer.clone().unwrap_or_default();
    rejection.at(format!("{pointer}/{name}{rest}"))
}

/// The first number of a person that a text may hold.
pub fn find(text: &str) -> Option<Found> {
    if !notation::has_digits(text, PHONE) {
        return None;
    }
    let plain = notation::numbers(text);
    // The contract has searched the text as it was sent; a code it searches for digits written together alone.
    if plain != text && qamtu_schemas::text::holds_national_id(&plain) {
        return Some(Found::NationalId);
    }
    chains(&plain).iter().find_map(|chain| {
        if within_one(chain) || over_several(chain) { Some(Found::NationalId) } else { phone(chain).then_some(Found::Phone) }
    })
}

/// A national id among more digits that are written together, such as `1850615101233`. Its check digit is asked: of other twelve digits
/// in a row hardly one in four hundred passes.
fn within_one(chain: &[Group<'_>]) -> bool {
    chain.iter().filter(|group| !group.is_timestamp()).any(|group| group.digits.as_bytes().windows(NATIONAL_ID).any(is_national_id))
}

/// A national id over several groups, such as `850615,101233`. Groups are taken whole; only of two long ones, as in
/// `№ 7850615-101233`, the digits beside the separator alone.
fn over_several(chain: &[Group<'_>]) -> bool {
    let half = NATIONAL_ID / 2;
    let long = |pair: &[Group<'_>]| {
        let end = pair[0].digits.len().checked_sub(half).and_then(|from| pair[0].digits.get(from..));
        let begin = pair[1].digits.get(..half);
        end.zip(begin).is_some_and(|(end, begin)| is_grouped_id(&[end, begin].concat()))
    };
    chain.windows(2).any(long) || runs(chain, NATIONAL_ID).any(|run| run.len() > 1 && is_grouped_id(&joined(run)))
}

/// A phone number of the country: ten digits that begin with an area's or an operator's code, with or without `+7`, `7` or `8`.
fn phone(chain: &[Group<'_>]) -> bool {
    let local = |run: &[Group<'_>]| is_phone(&joined(run)) && keeps_code(run, 0);
    let prefixed = |run: &[Group<'_>]| {
        let digits = joined(run);
        let is_written_so = || keeps_code(run, 1) || run[0].gap.ends_with('+') || splits_code_alone(run);
        matches!(digits.as_bytes()[0], b'7' | b'8') && is_phone(&digits[1..]) && is_written_so()
    };
    let abroad = |run: &[Group<'_>]| joined(run).strip_prefix("007").is_some_and(is_phone);
    runs(chain, PHONE).any(local) || runs(chain, PHONE + 1).any(prefixed) || runs(chain, PHONE + 3).any(abroad)
}

/// Neighbouring groups that have so many digits together.
fn runs<'c, 't>(chain: &'c [Group<'t>], digits: usize) -> impl Iterator<Item = &'c [Group<'t>]> {
    (0..chain.len()).filter_map(move |first| {
        let mut left = digits;
        for (count, group) in chain[first..].iter().enumerate() {
            left = left.checked_sub(group.digits.len())?;
            if left == 0 {
                return Some(&chain[first..=first + count]);
            }
        }
        None
    })
}

fn joined(run: &[Group<'_>]) -> String {
    run.iter().map(|group| group.digits).collect()
}

/// Is the code, three digits behind the prefix, written together, as everybody writes it? Dates and lists of counts do not have it so.
/// Digits written one by one have no groups to go by.
fn keeps_code(run: &[Group<'_>], prefix: usize) -> bool {
    let mut before = 0;
    let together = run.iter().any(|group| {
        let held = before <= prefix && before + group.digits.len() >= prefix + 3;
        before += group.digits.len();
        held
    });
    together || run.iter().all(|group| group.digits.len() == 1)
}

/// How the last seven digits of a phone number are written.
const LOCAL_GROUPS: [&[usize]; 4] = [&[7], &[3, 4], &[3, 2, 2], &[2, 2, 3]];

/// Is only the code written apart, as in `8 7 01 123 45 67`, and the rest as it usually is? Asked behind a prefix alone: without one,
/// and in other groups, it may be a list of numbers or an amount.
fn splits_code_alone(run: &[Group<'_>]) -> bool {
    let lengths: Vec<usize> = run.iter().map(|group| group.digits.len()).collect();
    LOCAL_GROUPS.iter().any(|local| lengths.ends_with(local))
}

/// Ten digits of the numbering plan of Kazakhstan: fixed lines 71x and 72x, mobile 70x, 747, 75x, 76x, 77x.
fn is_phone(digits: &str) -> bool {
    digits.len() == PHONE && matches!(digits.as_bytes(), [b'7', b'0'..=b'2' | b'5'..=b'7', ..] | [b'7', b'4', b'7', ..])
}

/// `YYMMDD`, a digit for century and sex, a serial number and a good check digit.
fn is_national_id(digits: &[u8]) -> bool {
    let two = |at: usize| (digits[at] - b'0') * 10 + digits[at + 1] - b'0';
    (1..=12).contains(&two(2)) && (1..=31).contains(&two(4)) && digits[6] <= b'6' && identifier::check_digit_holds(digits)
}

/// In groups, a seventh digit 0 is left out: it is that of foreigners, and of numbers such as `260213-000042`.
fn is_grouped_id(digits: &str) -> bool {
    let digits = digits.as_bytes();
    digits[6] != b'0' && is_national_id(digits)
}

#[cfg(test)]
mod tests;
