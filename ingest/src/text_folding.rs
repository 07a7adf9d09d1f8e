//! Folds texts for search and comparison: compatibility forms, digits of other scripts and invisible characters are replaced.
//!
//! Guarantees: texts that look alike to people have equal folded forms. A folded form is never stored.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Digits outside the Unicode category of decimal digits, in runs: first character, its value, and length of the run.
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

/// Chinese characters for the digits 0 to 9: common, financial, and financial traditional forms.
const IDEOGRAPHIC_DIGITS: [&str; 3] = ["零一二三四五六七八九", "零壹贰叁肆伍陆柒捌玖", "零壹貳參肆伍陸柒捌玖"];

/// Replacement in [`fold_digits`] for signs whose compatibility forms are letters.
const SIGN_PLACEHOLDER: char = '#';

/// Invisible letters: the Hangul fillers.
const BLANKS: [char; 4] = ['\u{115F}', '\u{1160}', '\u{3164}', '\u{FFA0}'];

/// Whether the text may contain at least `min` digits; a fast check that most texts fail.
pub fn has_digits(text: &str, min: usize) -> bool {
    if text.is_ascii() {
        return text.bytes().filter(u8::is_ascii_digit).count() >= min;
    }
    // A single character may be two digits, such as the circled ten.
    let is_numeric = |c: char| !c.is_ascii() && (c.is_numeric() || ideographic_value(c).is_some());
    let digits = |c: char| if c.is_ascii_digit() { 1 } else { 2 * usize::from(is_numeric(c)) };
    text.chars().map(digits).sum::<usize>() >= min
}

/// The text in compatibility form with ASCII digits, without invisible characters and combining marks.
pub fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfkc().filter(|c| !is_dropped(*c)).map(ascii_digit).collect())
}

/// Like [`fold`], for a search for numbers: Chinese digits become ASCII digits too, and signs such as `№`, `™`, `℡` or `ʰ` become `#`,
/// because people do not read them as a word between two digits, although their compatibility forms are letters.
pub fn fold_digits(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    // An ASCII sign neither composes with the next character nor is dropped.
    let signs: String = text.chars().map(|c| if is_sign(c) { SIGN_PLACEHOLDER } else { c }).collect();
    let digit = |c: char| ideographic_value(c).and_then(|value| char::from_digit(value, 10)).unwrap_or(c);
    Cow::Owned(fold(&signs).chars().map(digit).collect())
}

/// Whether `c` is a modifier letter, or has letters and no digit only in its compatibility form.
fn is_sign(c: char) -> bool {
    if c.is_ascii() {
        return false;
    }
    let form = || std::iter::once(c).nfkd();
    let is_other = || !form().eq(std::iter::once(c).nfd());
    let is_digit = |c: char| c.is_numeric() || ideographic_value(c).is_some();
    c.general_category() == GeneralCategory::ModifierLetter || is_other() && form().any(char::is_alphabetic) && !form().any(is_digit)
}

/// The value of a Chinese digit; circled forms such as `㊀` are folded to one first.
fn ideographic_value(c: char) -> Option<u32> {
    let value = IDEOGRAPHIC_DIGITS.iter().find_map(|digits| digits.chars().position(|digit| digit == c));
    value.and_then(|value| u32::try_from(value).ok())
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
        GeneralCategory::DecimalNumber => Some(decimal_value(c)),
        GeneralCategory::OtherNumber | GeneralCategory::LetterNumber => other_value(c),
        _ => None,
    };
    value.and_then(|value| char::from_digit(value, 10)).unwrap_or(c)
}

/// The value of a decimal digit. In Unicode the ten digits of a script are contiguous, from zero.
fn decimal_value(c: char) -> u32 {
    let before = (1..).map_while(|back| u32::from(c).checked_sub(back).and_then(char::from_u32));
    let digits = before.take_while(|before| before.general_category() == GeneralCategory::DecimalNumber).count();
    u32::try_from(digits % 10).unwrap_or_default()
}

fn other_value(c: char) -> Option<u32> {
    OTHER_DIGITS.iter().find_map(|(first, value, count)| {
        let offset = u32::from(c).checked_sub(u32::from(*first)).filter(|offset| offset < count)?;
        Some(if *value == 0 { 0 } else { value + offset })
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
            assert_eq!(fold(&text), "0123456789", "{text}");
            runs += 1;
        }
        assert!(runs >= 60, "{runs} scripts");
    }

    #[test]
    fn digits_in_any_notation_become_ascii() {
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
            assert_eq!(fold(text), digits, "{text}");
        }
    }

    #[test]
    fn signs_become_placeholders_and_letters_stay_letters() {
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
            assert_eq!(fold_digits(text), expected, "{text}");
        }
    }
}
