//! One notation for texts that are searched or compared: compatibility forms, digits of other scripts and invisible characters are
//! undone.
//!
//! Guarantees: the result looks to a program as the text looks to people. It is never stored.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Digits that are numbers of Unicode without being decimal digits, in runs: the first one, its value, and how many follow each other.
const OTHER_DIGITS: [(char, u32, u32); 11] = [
    ('\u{1369}', 1, 9),  // Ethiopic
    ('\u{24F5}', 1, 9),  // double circled
    ('\u{24FF}', 0, 1),  // negative circled zero
    ('\u{2776}', 1, 9),  // negative circled
    ('\u{2780}', 1, 9),  // circled sans-serif
    ('\u{278A}', 1, 9),  // negative circled sans-serif
    ('\u{3007}', 0, 1),  // ideographic zero
    ('\u{3021}', 1, 9),  // Hangzhou
    ('\u{10E60}', 1, 9), // Rumi
    ('\u{11052}', 1, 9), // Brahmi
    ('\u{1F10B}', 0, 2), // circled zeros
];

/// Chinese characters for the digits 0 to 9: everyday ones, those of cheques, and the latter in traditional form.
const IDEOGRAPHIC_DIGITS: [&str; 3] = ["零一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖", "零壹貳參肆伍陸柒捌玖"];

/// What [`numbers`] writes for a sign that Unicode makes letters of.
const SIGN: char = '#';

/// Letters that show nothing and belong to no category that is dropped anyway: fillers of Hangul.
const BLANKS: [char; 4] = ['\u{115F}', '\u{1160}', '\u{3164}', '\u{FFA0}'];

/// May the text hold so many digits? Most texts do not, and are done with here.
pub fn has_digits(text: &str, least: usize) -> bool {
    if text.is_ascii() {
        return text.bytes().filter(u8::is_ascii_digit).count() >= least;
    }
    // A single character may stand for two digits, as the circled ten does.
    let is_numeric = |c: char| !c.is_ascii() && (c.is_numeric() || ideographic(c).is_some());
    let digits = |c: char| if c.is_ascii_digit() { 1 } else { 2 * usize::from(is_numeric(c)) };
    text.chars().map(digits).sum::<usize>() >= least
}

/// The text in compatibility form, with ASCII digits, and without what nobody sees or what only marks the character before.
pub fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfkc().filter(|c| !is_dropped(*c)).map(ascii_digit).collect())
}

/// The text as [`plain`] has it, for a search for numbers: Chinese digits are ASCII digits, too, and signs are `#`, since nobody reads
/// `№`, `™`, `℡` or `ʰ` between two digits as a word that parts them, although their compatibility forms are letters.
pub fn numbers(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    // A sign of ASCII neither composes with what follows it nor is dropped.
    let signs: String = text.chars().map(|c| if is_sign(c) { SIGN } else { c }).collect();
    let digit = |c: char| ideographic(c).and_then(|value| char::from_digit(value, 10)).unwrap_or(c);
    Cow::Owned(plain(&signs).chars().map(digit).collect())
}

/// A modifier letter, or a character whose compatibility form alone has letters and has no digit.
fn is_sign(c: char) -> bool {
    if c.is_ascii() {
        return false;
    }
    let form = || std::iter::once(c).nfkd();
    let is_other = || !form().eq(std::iter::once(c).nfd());
    let is_digit = |c: char| c.is_numeric() || ideographic(c).is_some();
    c.general_category() == GeneralCategory::ModifierLetter || is_other() && form().any(char::is_alphabetic) && !form().any(is_digit)
}

/// The value of a Chinese digit. The compatibility form of some, such as `㊀`, is one.
fn ideographic(c: char) -> Option<u32> {
    let place = IDEOGRAPHIC_DIGITS.iter().find_map(|digits| digits.chars().position(|digit| digit == c));
    place.and_then(|value| u32::try_from(value).ok())
}

fn is_dropped(c: char) -> bool {
    use GeneralCategory::{EnclosingMark, Format, NonspacingMark, SpacingMark};
    !c.is_ascii() && (matches!(c.general_category(), EnclosingMark | Format | NonspacingMark | SpacingMark) || BLANKS.contains(&c))
}

fn ascii_digit(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let value = match c.general_category() {
        GeneralCategory::DecimalNumber => Some(decimal(c)),
        GeneralCategory::OtherNumber | GeneralCategory::LetterNumber => other(c),
        _ => None,
    };
    value.and_then(|value| char::from_digit(value, 10)).unwrap_or(c)
}

/// The value of a decimal digit. Unicode promises that the ten digits of a script follow each other, zero first.
fn decimal(c: char) -> u32 {
    let before = (1..).map_while(|back| u32::from(c).checked_sub(back).and_then(char::from_u32));
    let digits = before.take_while(|before| before.general_category() == GeneralCategory::DecimalNumber).count();
    u32::try_from(digits % 10).unwrap_or_default()
}

fn other(c: char) -> Option<u32> {
    OTHER_DIGITS.iter().find_map(|(first, value, count)| {
        let behind = u32::from(c).checked_sub(u32::from(*first)).filter(|behind| behind < count)?;
        Some(if *value == 0 { 0 } else { value + behind })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decimal_digit_of_unicode_becomes_its_ascii_digit() {
        let mut runs = 0;
        let all: Vec<char> = ('\u{80}'..=char::MAX).filter(|c| c.general_category() == GeneralCategory::DecimalNumber).collect();
        for ten in all.chunks(10) {
            let text: String = ten.iter().collect();
            assert_eq!(plain(&text), "0123456789", "{text}");
            runs += 1;
        }
        assert!(runs >= 60, "{runs} scripts");
    }

    #[test]
    fn digits_in_any_notation_become_plain() {
        for (text, digits) in [
            ("８５０６", "8506"),
            ("٨٥٠٦", "8506"),
            ("८५०६", "8506"),
            ("𝟖𝟓𝟎𝟔", "8506"),
            ("⑧⑤⓪⑥", "8506"),
            ("❽❺⓿❻", "8506"),
            ("➇➄➉", "85➉"),
            ("⁸⁵⁰⁶", "8506"),
            ("₈₅₀₆", "8506"),
            ("8\u{FE0F}\u{20E3}5\u{FE0F}\u{20E3}0\u{FE0F}\u{20E3}6\u{FE0F}\u{20E3}", "8506"),
            ("8\u{301}5\u{200B}0\u{00AD}6\u{2060}", "8506"),
            ("8\u{3164}5\u{E0001}0\u{180E}6", "8506"),
            ("⑩ Қ", "10 Қ"),
            ("〇〨〥", "085"),
        ] {
            assert_eq!(plain(text), digits, "{text}");
        }
    }

    #[test]
    fn signs_part_numbers_and_letters_stay_letters() {
        for (text, expected) in [
            ("№ 12™30℡4", "# 12#30#4"),
            ("8ʰ5ª0Ａ6", "8#5#0#6"),
            ("8ـ5ー0", "8#5#0"),
            ("八五〇六㊀㈡", "85061(2)"),
            ("捌伍零陸玖", "85069"),
            // Letters with marks, and numbers that Unicode writes with letters or points.
            ("Қы\u{306}йё Ә12", "Қыйё Ә12"),
            ("⒈⑴½", "1.(1)1\u{2044}2"),
            ("12A", "12A"),
        ] {
            assert_eq!(numbers(text), expected, "{text}");
        }
    }
}
