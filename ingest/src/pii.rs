//! Finds national ids and phone numbers in texts and codes, in any notation.
//!
//! Guarantees: the search is stricter than the contract ([`qamtu_schemas::text::Text`]). The contract also applies to old records; this
//! check applies only to new submissions, so it may become stricter without making stored records unreadable. It searches a folded copy
//! ([`crate::text_folding`]), across the usual separators ([`groups`]). Typed fields (UUIDs, instants) are not searched. Not found: digits
//! written as words or look-alike letters, in another order, encoded, spread over several fields, or split by letters (signs such as `№`
//! and `ʰ` count as separators).

mod groups;

use groups::{DigitGroup, chains};

use crate::{
    pseudonym::identifier,
    rejection::{Detail, ProblemCode, Rejection},
    submission::{json::Json, normalization},
    text_folding,
};

/// A number that identifies a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonalNumber {
    /// An individual identification number (IIN).
    NationalId,
    /// A phone number of Kazakhstan.
    Phone,
}

/// Number of digits of a national id.
const NATIONAL_ID: usize = 12;

/// Number of digits of a phone number without country code or trunk prefix.
const PHONE: usize = 10;

/// Refuses a payload with such a number in any text or code; `pointer` is the JSON pointer of the payload.
pub fn check(data: &Json<'_>, pointer: &str) -> Result<(), Rejection> {
    match data {
        Json::Text(text) => check_text(text, pointer),
        // Pointers are built only for a refusal, since most fields pass.
        Json::List(items) => items
            .iter()
            .enumerate()
            .try_for_each(|(index, item)| check(item, "").map_err(|rejection| rejection.within(&format!("{pointer}/{index}")))),
        Json::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !normalization::is_typed_field(name))
            .try_for_each(|(name, value)| check(value, "").map_err(|rejection| rejection.within(&format!("{pointer}/{name}")))),
        Json::Null | Json::Bool(_) | Json::Number(_) => Ok(()),
    }
}

/// Refuses a text or code that contains such a number.
pub fn check_text(text: &str, pointer: &str) -> Result<(), Rejection> {
    match find(text) {
        None => Ok(()),
        Some(PersonalNumber::NationalId) => Err(Rejection::new(ProblemCode::NationalId, Detail::TextNationalId).at(pointer)),
        Some(PersonalNumber::Phone) => Err(Rejection::new(ProblemCode::PhoneNumber, Detail::TextPhone).at(pointer)),
    }
}

/// The first number in a text that may identify a person.
pub fn find(text: &str) -> Option<PersonalNumber> {
    if !text_folding::has_digits(text, PHONE) {
        return None;
    }
    let folded = text_folding::fold_digits(text);
    // The contract has searched the text as sent; in codes it searches only adjacent digits.
    if folded != text && qamtu_schemas::text::contains_national_id(&folded) {
        return Some(PersonalNumber::NationalId);
    }
    chains(&folded).iter().find_map(|chain| {
        if id_in_one_group(chain) || id_across_groups(chain) {
            Some(PersonalNumber::NationalId)
        } else {
            phone(chain).then_some(PersonalNumber::Phone)
        }
    })
}

/// A national id within a longer run of digits, such as `1850615101233`. The check digit is verified, which less than one in four hundred
/// other runs of twelve digits pass.
fn id_in_one_group(chain: &[DigitGroup<'_>]) -> bool {
    chain.iter().filter(|group| !group.is_timestamp()).any(|group| group.digits.as_bytes().windows(NATIONAL_ID).any(is_national_id))
}

/// A national id across several groups, such as `850615,101233`. Groups count as a whole, except in pairs of long ones, such as
/// `№ 7850615-101233`, where only the digits next to the separator count.
fn id_across_groups(chain: &[DigitGroup<'_>]) -> bool {
    let half = NATIONAL_ID / 2;
    let across_long_pair = |pair: &[DigitGroup<'_>]| {
        let end = pair[0].digits.len().checked_sub(half).and_then(|from| pair[0].digits.get(from..));
        let begin = pair[1].digits.get(..half);
        end.zip(begin).is_some_and(|(end, begin)| is_grouped_id(&[end, begin].concat()))
    };
    chain.windows(2).any(across_long_pair) || runs(chain, NATIONAL_ID).any(|run| run.len() > 1 && is_grouped_id(&joined(run)))
}

/// A phone number of Kazakhstan: ten digits that begin with an area or operator code, with or without `+7`, `7` or `8`.
fn phone(chain: &[DigitGroup<'_>]) -> bool {
    let local = |run: &[DigitGroup<'_>]| is_phone(&joined(run)) && code_is_unbroken(run, 0);
    let prefixed = |run: &[DigitGroup<'_>]| {
        let digits = joined(run);
        let is_grouped_like_phone = || code_is_unbroken(run, 1) || run[0].gap.ends_with('+') || only_code_is_split(run);
        matches!(digits.as_bytes()[0], b'7' | b'8') && is_phone(&digits[1..]) && is_grouped_like_phone()
    };
    let abroad = |run: &[DigitGroup<'_>]| joined(run).strip_prefix("007").is_some_and(is_phone);
    runs(chain, PHONE).any(local) || runs(chain, PHONE + 1).any(prefixed) || runs(chain, PHONE + 3).any(abroad)
}

/// Runs of adjacent groups with exactly `digits` digits.
fn runs<'c, 't>(chain: &'c [DigitGroup<'t>], digits: usize) -> impl Iterator<Item = &'c [DigitGroup<'t>]> {
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

fn joined(run: &[DigitGroup<'_>]) -> String {
    run.iter().map(|group| group.digits).collect()
}

/// Whether the three digits of the area code, after the prefix, are in one group, unlike in dates and lists of counts. Also true if every
/// digit stands alone.
fn code_is_unbroken(run: &[DigitGroup<'_>], prefix: usize) -> bool {
    let mut before = 0;
    let together = run.iter().any(|group| {
        let contains_code = before <= prefix && before + group.digits.len() >= prefix + 3;
        before += group.digits.len();
        contains_code
    });
    together || run.iter().all(|group| group.digits.len() == 1)
}

/// Usual groupings of the last seven digits of a phone number.
const LOCAL_GROUPS: [&[usize]; 4] = [&[7], &[3, 4], &[3, 2, 2], &[2, 2, 3]];

/// Whether only the area code is split, as in `8 7 01 123 45 67`, and the rest is grouped as usual. Used only after a prefix: without one,
/// or in other groupings, the digits may be a list of numbers or an amount.
fn only_code_is_split(run: &[DigitGroup<'_>]) -> bool {
    let lengths: Vec<usize> = run.iter().map(|group| group.digits.len()).collect();
    LOCAL_GROUPS.iter().any(|local| lengths.ends_with(local))
}

/// Ten digits of the numbering plan of Kazakhstan: fixed lines 71x and 72x, mobile 70x, 747, 75x, 76x, 77x.
fn is_phone(digits: &str) -> bool {
    digits.len() == PHONE && matches!(digits.as_bytes(), [b'7', b'0'..=b'2' | b'5'..=b'7', ..] | [b'7', b'4', b'7', ..])
}

/// `YYMMDD`, a digit for century and sex, a serial number and a valid check digit.
fn is_national_id(digits: &[u8]) -> bool {
    let two = |at: usize| (digits[at] - b'0') * 10 + digits[at + 1] - b'0';
    (1..=12).contains(&two(2)) && (1..=31).contains(&two(4)) && digits[6] <= b'6' && identifier::check_digit_holds(digits)
}

/// Across groups, a seventh digit 0 (foreigners) is not accepted, because numbers such as `260213-000042` have it too.
fn is_grouped_id(digits: &str) -> bool {
    let digits = digits.as_bytes();
    digits[6] != b'0' && is_national_id(digits)
}

#[cfg(test)]
mod tests;
