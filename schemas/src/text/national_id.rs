//! Finds possible national ids (12 digits) in free text.
//!
//! Guarantees: one pass in linear time; [`redact`] leaves nothing that [`find`] would find. The check digit is ignored, since a
//! mistyped id may be the id of another person. Typed identifiers are not checked here: they have patterns of their own.

use std::ops::Range;

/// Number of digits of an individual identification number.
const DIGITS: usize = 12;

/// Adjacent digits, and the gap between them and the previous group.
#[derive(Clone, Copy)]
struct DigitGroup {
    start: usize,
    end: usize,
    digits: usize,
    gap: GroupGap,
}

/// The characters between two groups of one number: a separator, a space, or a separator with a space on either side.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct GroupGap {
    before: bool,
    separator: Option<char>,
    after: bool,
}

impl GroupGap {
    /// Adds the next character; false: it ends the number.
    fn take(&mut self, c: char) -> bool {
        match (is_space(c), self.separator) {
            (true, None) => !std::mem::replace(&mut self.before, true),
            (true, Some(_)) => !std::mem::replace(&mut self.after, true),
            (false, None) if is_separator(c) => {
                self.separator = Some(c);
                true
            }
            (false, _) => false,
        }
    }
}

/// Whether the text contains a possible national id: exactly twelve adjacent digits, or groups separated by a space, a hyphen, a
/// point or a slash that have twelve digits in total and begin with a date of birth. Hashes (words of at least 16 hexadecimal
/// digits) and UUIDs are ignored.
pub fn contains_national_id(text: &str) -> bool {
    find(text).is_some()
}

/// Replaces every possible national id by `[id]`. Call it before truncating a text: a truncated id is no longer found.
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(id) = find(rest) {
        out.push_str(&rest[..id.start]);
        out.push_str("[id]");
        rest = &rest[id.end..];
    }
    out.push_str(rest);
    out
}

/// Byte range of the first possible national id.
fn find(text: &str) -> Option<Range<usize>> {
    if !has_enough_digits(text) {
        return None;
    }
    let mut chain: Vec<DigitGroup> = Vec::with_capacity(DIGITS + 1);
    let mut group_in_progress: Option<DigitGroup> = None;
    let mut gap = GroupGap::default();
    // Whether a word may begin here.
    let mut at_word_start = true;
    let mut skip_until = 0;
    for (at, c) in text.char_indices().chain(std::iter::once((text.len(), '\n'))) {
        if at < skip_until || is_invisible(c) {
            continue;
        }
        if group_in_progress.is_none()
            && at_word_start
            && let Some(bytes) = uuid_or_hash_length(&text[at..])
        {
            chain.clear();
            skip_until = at + bytes;
            continue;
        }
        if digit_value(c).is_some() {
            let group = group_in_progress.get_or_insert(DigitGroup { start: at, end: at, digits: 0, gap });
            group.end = at + c.len_utf8();
            group.digits += 1;
            continue;
        }
        at_word_start = !c.is_alphanumeric();
        if let Some(group) = group_in_progress.take() {
            gap = GroupGap::default();
            chain.push(group);
            if let Some(id) = id_at_end(text, &chain) {
                return Some(id);
            }
            if chain.len() > DIGITS {
                chain.remove(0);
            }
        }
        if !gap.take(c) {
            chain.clear();
        }
    }
    None
}

/// Length of a UUID with its hyphens.
const UUID_BYTES: usize = 36;

/// Minimum length of a hash in hexadecimal digits; a shorter one may be a word next to a number, as in `card850615101233`.
const HASH_BYTES: usize = 16;

/// Length of the UUID or hash at the start of the text, if the word ends with it.
fn uuid_or_hash_length(text: &str) -> Option<usize> {
    if is_uuid(text.as_bytes()) {
        return Some(UUID_BYTES);
    }
    let bytes = text.bytes().take_while(u8::is_ascii_hexdigit).count();
    let ends = || text[bytes..].chars().next().is_none_or(|next| !next.is_alphanumeric() && !is_invisible(next));
    (bytes >= HASH_BYTES && ends()).then_some(bytes)
}

/// Whether the text begins with a UUID, as in `import/018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10`. One in a hundred has twelve adjacent digits.
fn is_uuid(text: &[u8]) -> bool {
    if text.get(8) != Some(&b'-') || text.get(UUID_BYTES).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'-') {
        return false;
    }
    text.get(..UUID_BYTES).is_some_and(|uuid| {
        uuid.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => matches!(byte, b'1'..=b'8'),
            19 => matches!(byte, b'8' | b'9' | b'a' | b'b' | b'A' | b'B'),
            _ => byte.is_ascii_hexdigit(),
        })
    })
}

/// Fast path: most texts have fewer than twelve digits. Counts the lead bytes of all supported digits.
fn has_enough_digits(text: &str) -> bool {
    text.bytes().filter(|byte| byte.is_ascii_digit() || matches!(byte, 0xD9 | 0xDB | 0xEF)).nth(DIGITS - 1).is_some()
}

/// The possible id that ends with the last group.
fn id_at_end(text: &str, chain: &[DigitGroup]) -> Option<Range<usize>> {
    let end = chain.last()?.end;
    let mut digits = 0;
    for (first, group) in chain.iter().enumerate().rev() {
        digits += group.digits;
        if digits >= DIGITS {
            let (id, groups) = (group.start..end, &chain[first..]);
            let is_dated = || starts_with_birth_date(&text[id.clone()]) && !looks_like_dates(text, groups);
            let found = digits == DIGITS && (groups.len() == 1 || is_dated());
            return found.then_some(id);
        }
    }
    None
}

/// Whether these are dates and times, as in `13.02.2026 15.00` or `12.02 - 15.03.2026`: pairs and years with different separators,
/// points or slashes among them. An id in pairs has the same separator throughout.
fn looks_like_dates(text: &str, groups: &[DigitGroup]) -> bool {
    let gaps = || groups.iter().skip(1).map(|group| group.gap);
    let pointed = gaps().any(|gap| matches!(gap.separator, Some('.' | '/')));
    let mixed = gaps().zip(gaps().skip(1)).any(|(one, next)| one != next);
    let year = |group: &DigitGroup| group.digits == 4 && ["19", "20"].iter().any(|century| text[group.start..].starts_with(century));
    pointed && mixed && groups.iter().all(|group| group.digits == 2 || year(group))
}

/// Whether the number starts with `YYMMDD`. Only for grouped numbers, to exclude codes such as `TRK-2026-0213-0042` and rows of counts.
fn starts_with_birth_date(number: &str) -> bool {
    let mut digits = number.chars().filter_map(digit_value).skip(2);
    let mut two = || digits.next().unwrap_or(0) * 10 + digits.next().unwrap_or(0);
    let (month, day) = (two(), two());
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

/// The value of a decimal digit: ASCII, full-width or Arabic, as keyboards and scanners produce them.
fn digit_value(c: char) -> Option<u32> {
    let zero = match c {
        '0'..='9' => '0',
        '\u{0660}'..='\u{0669}' => '\u{0660}',
        '\u{06F0}'..='\u{06F9}' => '\u{06F0}',
        '\u{FF10}'..='\u{FF19}' => '\u{FF10}',
        _ => return None,
    };
    Some(u32::from(c) - u32::from(zero))
}

/// Spaces between the digits of one number.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{00A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}')
}

/// Separators between the digits of one number: hyphens and dashes, points, slashes.
fn is_separator(c: char) -> bool {
    matches!(c, '-' | '.' | '/' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FF0D}'..='\u{FF0F}')
}

/// Invisible characters, which are skipped inside a number.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_however_they_are_written() {
        for held in [
            "850615101233",
            "ИИН 850615101233.",
            "ИИН850615101233",
            "IIN850615101233",
            "8506 1510 1233",
            "850615-101233",
            "850615\u{2011}101233",
            "850615 1 01233",
            "８５０６１５１０１２３３",
            "٨٥٠٦١٥١٠١٢٣٣",
            "8506\u{200B}15101233",
            "x:850615101233,",
            "(850615101233)",
            "850615101233 17 адам",
            "17 850615101233",
            "№ 2-850615101233-1",
            "000229200019",
            "00000000-0000-0000-0000-850615101233",
            "018f6b1e-7a4c-7d1b-9a51-850615101233-1",
            "018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10 850615101233",
            "850615101233г.",
            "ID850615101233",
            "card850615101233",
            "a850615101233",
            "850615101233d",
            "ID８５０６１５１０１２３３",
            "card٨٥٠٦١٥١٠١٢٣٣d",
            "xdeadbeef850615101233",
            "aaaaaaaaaa850615\u{200B}101233",
            "8506.1510.1233",
            "850615/101233",
            "850615 - 101233",
            "850615 \u{2013} 101233.",
            "85.06.15-101233",
            "85.06.15.10.12.33",
            "８５０６．１５１０．１２３３",
            "٨٥٠٦١٥/١٠١٢٣٣",
            "٨٥٠٦١٥ - ١٠١٢٣٣",
        ] {
            assert!(contains_national_id(held), "{held}");
        }
    }

    #[test]
    fn other_numbers_are_left_alone() {
        for free in [
            "",
            "85061510123",
            "8506151012330",
            "2026-02-13 15:00",
            "2026-02-13 15-00",
            "тел. 8 701 123 45 67",
            "TRK-2026-0213-0042 орнына",
            "учаскелер 212 213 214 215",
            "учаскелер 10 20 30 40 50 60 70",
            "850615  101233",
            "8506,1510,1233",
            "import/018f6b1e-7a4c-7d1b-9a51-012345678901",
            "3 85061510-1233-4d1b-9a51-850615101233, 4",
            "13.02.2026 15.00",
            "18.10 15.02.2026",
            "13.02.2026 - 15.03.2026",
            "12.03 - 15.03.2026",
            "13/02/2026 15.00\u{2013}16.30",
            "deadbeef850615101233, 17",
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        ] {
            assert!(!contains_national_id(free), "{free}");
        }
    }

    #[test]
    fn redaction_leaves_the_rest_and_is_idempotent() {
        let once = redact("Қазығұрт: 850615101233 және 9912 3110 7771, 17 адам");
        assert_eq!(once, "Қазығұрт: [id] және [id], 17 адам");
        assert_eq!(redact(&once), once);
    }

    #[test]
    fn ten_megabytes_of_ids_are_redacted_in_one_pass() {
        let text = "850615101233 ".repeat(800_000);
        assert_eq!(redact(&text), "[id] ".repeat(800_000));
    }
}
