//! Parses national ids (IIN) and phone numbers as people type them.
//!
//! Guarantees: values of these types are normalized. Only length, digits and check digit of a national id are checked; the birth date and
//! sex in it are not used. Neither type implements `Debug` or `Display`.

use secrecy::zeroize::Zeroize;

use crate::rejection::{Detail, ProblemCode, Rejection};

/// An individual identification number: twelve ASCII digits with a valid check digit. Zeroized when dropped.
pub struct RawIin(String);

/// A phone number in E.164 form. Zeroized when dropped.
pub struct RawPhone(String);

impl RawIin {
    /// Parses ASCII, full-width or Arabic digits, with spaces or hyphens between them.
    pub fn read(text: &str) -> Result<Self, Rejection> {
        let iin = Self(normalize(text, ProblemCode::InvalidIin)?);
        let (digits, only_digits) = (iin.0.len(), iin.0.bytes().all(|b| b.is_ascii_digit()));
        if digits == 12 && only_digits && check_digit_holds(iin.0.as_bytes()) {
            return Ok(iin);
        }
        // Missing zeros are not added: one number in eleven would become the valid number of another person.
        let detail = if only_digits && (1..12).contains(&digits) { Detail::IinDigits { digits } } else { Detail::Iin };
        Err(Rejection::new(ProblemCode::InvalidIin, detail))
    }

    /// The twelve ASCII digits.
    pub(super) fn digits(&self) -> &str {
        &self.0
    }
}

impl RawPhone {
    /// Parses a number; without a country code it is one of Kazakhstan (trunk prefix 8 or none).
    pub fn read(text: &str) -> Result<Self, Rejection> {
        let phone = Self(normalize(text, ProblemCode::InvalidPhone)?);
        let (plus, digits) = phone.0.strip_prefix('+').map_or((false, phone.0.as_str()), |digits| (true, digits));
        let invalid = || Rejection::new(ProblemCode::InvalidPhone, Detail::Phone);
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid());
        }
        let e164 = match (plus, digits.len(), digits.as_bytes()) {
            (true, 11, [b'7', ..]) => format!("+{digits}"),
            (true, 8..=15, [b'1'..=b'6' | b'8'..=b'9', ..]) => format!("+{digits}"),
            (false, 11, [b'8' | b'7', b'7', ..]) => format!("+7{}", &digits[1..]),
            (false, 10, [b'7', ..]) => format!("+7{digits}"),
            (false, 13, [b'0', b'0', b'7', ..]) => format!("+{}", &digits[2..]),
            _ => return Err(invalid()),
        };
        Ok(Self(e164))
    }

    /// The number in E.164 form, with the plus.
    pub(super) fn e164(&self) -> &str {
        &self.0
    }
}

impl Drop for RawIin {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Drop for RawPhone {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Longest accepted input, separators included.
const INPUT_MAX_CHARS: usize = 64;

/// Converts digits to ASCII and drops separators and invisible characters; other characters stay, so that the number is refused later.
fn normalize(text: &str, code: ProblemCode) -> Result<String, Rejection> {
    if text.chars().nth(INPUT_MAX_CHARS).is_some() {
        return Err(Rejection::new(code, Detail::NumberLong));
    }
    let mut out = String::with_capacity(16);
    for c in text.chars() {
        match c {
            '0'..='9' | '+' => out.push(c),
            '\u{FF10}'..='\u{FF19}' => out.push(ascii_digit(c, '\u{FF10}')),
            '\u{0660}'..='\u{0669}' => out.push(ascii_digit(c, '\u{0660}')),
            '\u{06F0}'..='\u{06F9}' => out.push(ascii_digit(c, '\u{06F0}')),
            '\u{FF0B}' => out.push('+'),
            '-' | '.' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2060}' | '\u{FEFF}' | '\u{200B}'..='\u{200F}' => {}
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    Ok(out)
}

fn ascii_digit(digit: char, zero: char) -> char {
    char::from_digit(u32::from(digit) - u32::from(zero), 10).unwrap_or('?')
}

/// Whether the check digit is valid: weights 1 to 11 modulo 11; if that gives ten, weights 3 to 11, 1, 2. A number for which both give ten
/// is never issued. Source: the rules for forming identification numbers of the Republic of Kazakhstan.
pub(crate) fn check_digit_holds(digits: &[u8]) -> bool {
    let sum = |first: u32| -> u32 {
        let weights = (0..11).map(|at| (first - 1 + at) % 11 + 1);
        digits.iter().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum::<u32>() % 11
    };
    let check = match sum(1) {
        10 => sum(3),
        check => check,
    };
    check < 10 && u32::from(digits[11] - b'0') == check
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_numbers_are_valid_and_their_neighbours_are_not() {
        for good in ["850615101233", "991231107771", "721108204561", "640308100509", "000229200019", "000229666027"] {
            assert!(RawIin::read(good).is_ok(), "{good}");
            let last = good.as_bytes()[11] - b'0';
            let bad = format!("{}{}", &good[..11], (last + 1) % 10);
            assert!(RawIin::read(&bad).is_err(), "{bad}");
        }
        for unusable in 0..10 {
            assert!(RawIin::read(&format!("64030810056{unusable}")).is_err());
        }
    }

    #[test]
    fn numbers_are_read_as_people_type_them() {
        for typed in ["8506 1510 1233", "850615-101233", "８５０６１５１０１２３３", " 850615\u{200B}101233\n", "٨٥٠٦١٥١٠١٢٣٣"]
        {
            assert_eq!(RawIin::read(typed).unwrap_or_else(|_| panic!("{typed}")).digits(), "850615101233");
        }
        for wrong in ["", "85061510123", "8506151012330", "85061510123x", "+850615101233", "８"] {
            assert!(RawIin::read(wrong).is_err(), "{wrong}");
        }
        for typed in ["+7 701 123 45 67", "8(701)123-45-67", "77011234567", "701 123 45 67", "007 701 1234567", "＋７７０１１２３４５６７"]
        {
            assert_eq!(RawPhone::read(typed).unwrap_or_else(|_| panic!("{typed}")).e164(), "+77011234567");
        }
        assert_eq!(RawPhone::read("+998 90 123 45 67").map(|phone| phone.e164().to_owned()).unwrap_or_default(), "+998901234567");
        for wrong in ["", "+", "123", "+7701123456", "850615101233", "+0123456789", "8 701 123 45 6x", "++77011234567"] {
            assert!(RawPhone::read(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn parsing_terminates_and_normalized_numbers_are_stable(text in "\\PC{0,80}") {
            if let Ok(iin) = RawIin::read(&text) {
                prop_assert!(RawIin::read(iin.digits()).is_ok());
            }
            if let Ok(phone) = RawPhone::read(&text) {
                let again = RawPhone::read(phone.e164()).map(|again| again.e164().to_owned());
                prop_assert_eq!(again.unwrap_or_default(), phone.e164());
            }
        }
    }
}
