//! Synthetic national ids (IIN): valid check digit, an existing date, and the century digit (1 or 2) of people born in the 1800s, so
//! that no generated id can belong to a living person. An [`Issuer`] never gives an id twice.

use jiff::civil::Date;
use qamtu_schemas::event::Sex;

use super::rng::SeededRng;
use crate::submission::Iin;

/// The check digit of the first eleven digits: weights 1 to 11; if that gives 10, weights from 3 on. `None` if both give 10: such an id
/// is not issued. (Public description by the Ministry of Justice of Kazakhstan.)
fn check_digit(body: u64) -> Option<u64> {
    let digits: [u64; 11] = std::array::from_fn(|index| body / 10_u64.pow(10 - index as u32) % 10);
    let sum = |shift: usize| digits.iter().enumerate().map(|(index, digit)| digit * ((index + shift) % 11 + 1) as u64).sum::<u64>() % 11;
    match sum(0) {
        10 => Some(sum(2)).filter(|digit| *digit < 10),
        digit => Some(digit),
    }
}

/// Whether the id has at most twelve digits and the right check digit.
pub fn is_valid(iin: Iin) -> bool {
    iin.0 < 1_000_000_000_000 && check_digit(iin.0 / 10) == Some(iin.0 % 10)
}

impl Iin {
    /// The last two digits of the year of birth.
    pub fn year_digits(self) -> u64 {
        self.0 / 10_000_000_000
    }

    /// The sex that the century digit encodes.
    pub fn sex(self) -> Sex {
        if self.0 / 100_000 % 10 == 1 { Sex::Male } else { Sex::Female }
    }
}

/// A random day of a year, up to a month of it; no later than the 28th of its month.
pub(super) fn birthday(year: i16, last_month: i8, rng: &mut SeededRng) -> Date {
    let (month, day) = (rng.between(1, last_month.into()), rng.between(1, DAYS as i64));
    jiff::civil::date(year, month as i8, day as i8)
}

/// Issues synthetic national ids, each once.
#[derive(Debug)]
pub(super) struct Issuer {
    issued: Vec<u16>,
}

/// Days that every month has.
const DAYS: u64 = 28;
const CELLS: usize = 100 * 12 * DAYS as usize * 2;
const SERIALS: u64 = 10_000;

impl Issuer {
    pub fn new() -> Self {
        Self { issued: vec![0; CELLS] }
    }

    /// A new id for a date of birth, which is not after the 28th of its month, and a sex.
    pub fn issue(&mut self, born: Date, sex: Sex) -> Iin {
        let [year, month, day] = [born.year().into(), born.month().into(), born.day().into()].map(i64::unsigned_abs);
        let century = if sex == Sex::Male { 1 } else { 2 };
        let cell = (((year % 100) * 12 + month - 1) * DAYS + day - 1) * 2 + century - 1;
        loop {
            let issued = &mut self.issued[cell as usize];
            *issued += 1;
            // 3,571 and 10,000 are coprime, so the serial numbers of a cell repeat only after 10,000.
            let serial = (cell * 7_919 + u64::from(*issued) * 3_571) % SERIALS;
            let date = (year % 100) * 10_000 + month * 100 + day;
            let body = (date * 10 + century) * SERIALS + serial;
            if let Some(digit) = check_digit(body) {
                return Iin(body * 10 + digit);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_agree_with_published_examples() {
        for good in [850_615_101_233, 991_231_107_771, 721_108_204_561, 640_308_100_509, 229_200_019] {
            assert!(is_valid(Iin(good)), "{good}");
            assert!(!is_valid(Iin(good + if good % 10 == 9 { -1_i64 as u64 } else { 1 })), "{good}");
        }
        assert_eq!(check_digit(64_030_810_056), None, "a body without a check digit");
    }

    #[test]
    fn numbers_are_distinct_within_a_cell() {
        let mut issuer = Issuer::new();
        let numbers: std::collections::BTreeSet<_> = (0..5_000).map(|_| issuer.issue(jiff::civil::date(1985, 6, 15), Sex::Male)).collect();
        assert_eq!(numbers.len(), 5_000);
        assert!(numbers.iter().all(|iin| is_valid(*iin)));
    }
}
