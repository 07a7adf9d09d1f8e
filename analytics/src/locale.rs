//! Formats numbers, percentages, dates and sorts names by the conventions of a language, from Unicode CLDR data.
//!
//! Guarantees: a count and a bound of equal value have the same percentage; it is never rounded up to 100 nor down to 0, and a share above
//! 100 % is displayed as such. Texts are in [`crate::translations`].

use std::{cmp::Ordering, sync::LazyLock};

use icu_collator::{Collator, CollatorBorrowed, options::CollatorOptions};
use icu_datetime::{DateTimeFormatter, fieldsets, input::Date as IcuDate};
use icu_decimal::{DecimalFormatter, input::Decimal};
use jiff::{Zoned, civil::Date};

mod kazakh;
mod language;
mod rounded_percent;

pub use language::{Language, composed};
pub use rounded_percent::RoundedPercent;

/// The offset of a local time from UTC, such as `UTC+5` or `UTC+5:30`.
pub fn utc_offset(at: &Zoned) -> String {
    let minutes = at.offset().seconds() / 60;
    let sign = if minutes < 0 { '\u{2212}' } else { '+' };
    let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
    if minutes == 0 { format!("UTC{sign}{hours}") } else { format!("UTC{sign}{hours}:{minutes:02}") }
}

/// Formatters of one language.
pub struct Locale {
    language: Language,
    decimal: DecimalFormatter,
    long: DateTimeFormatter<fieldsets::YMD>,
    long_day: DateTimeFormatter<fieldsets::MD>,
    short_day: DateTimeFormatter<fieldsets::MD>,
    collator: CollatorBorrowed<'static>,
}

static LOCALES: LazyLock<[Locale; 3]> = LazyLock::new(|| Language::ALL.map(Locale::load));

impl Locale {
    /// The formatters of a language.
    pub fn of(language: Language) -> &'static Self {
        &LOCALES[language as usize]
    }

    fn load(language: Language) -> Self {
        let tag = || language.tag();
        // INVARIANT: data of the three languages is compiled into this program.
        let loaded = "the data of kk, ru and en is compiled in";
        Self {
            language,
            decimal: DecimalFormatter::try_new(tag().into(), Default::default()).expect(loaded),
            long: DateTimeFormatter::try_new(tag().into(), fieldsets::YMD::long()).expect(loaded),
            long_day: DateTimeFormatter::try_new(tag().into(), fieldsets::MD::long()).expect(loaded),
            short_day: DateTimeFormatter::try_new(tag().into(), fieldsets::MD::medium()).expect(loaded),
            collator: Collator::try_new(tag().into(), CollatorOptions::default()).expect(loaded),
        }
    }

    /// The language of these formatters.
    pub fn language(&self) -> Language {
        self.language
    }

    /// A whole number with digit grouping.
    pub fn number(&self, number: u64) -> String {
        self.decimal.format_to_string(&Decimal::from(number))
    }

    /// A number in hundredths, with so many decimals (at most 2).
    pub fn decimals(&self, hundredths: u64, decimals: i16) -> String {
        let mut decimal = Decimal::from(hundredths);
        decimal.multiply_pow10(-2);
        decimal.trunc(-decimals);
        decimal.pad_end(-decimals);
        self.decimal.format_to_string(&decimal)
    }

    /// A percentage without its sign: one decimal, two below 1 %. The sign is added by a message. None if the whole is 0.
    pub fn percent(&self, part: u64, whole: u64) -> Option<String> {
        let share = RoundedPercent::of(part, whole)?;
        Some(match share.hundredths {
            0 | 10_000 if part == 0 || part == whole => self.number(share.hundredths / 100),
            _ => self.decimals(share.hundredths, share.decimals()),
        })
    }

    /// An average with one decimal; none if the count is 0.
    pub fn average(&self, sum: u64, count: u64) -> Option<String> {
        let (sum, count) = (u128::from(sum), u128::from(count));
        (count > 0).then(|| self.decimals(u64::try_from((sum * 20 + count) / (2 * count) * 10).unwrap_or(u64::MAX), 1))
    }

    /// A long date, such as `15 марта 2026 г.`, with non-breaking spaces that the bundled font has. In Kazakh the year is written `жылғы`,
    /// as in official texts.
    pub fn date(&self, date: Date) -> String {
        let text =
            icu_date(date).map_or_else(|| date.to_string(), |date| self.long.format(&date).to_string().replace('\u{202f}', "\u{a0}"));
        if self.language == Language::Kk { text.replace("\u{a0}ж.", "\u{a0}жылғы") } else { text }
    }

    /// Day and short month, as a label of a column.
    pub fn day(&self, date: Date) -> String {
        icu_date(date).map_or_else(|| date.to_string(), |date| self.short_day.format(&date).to_string())
    }

    /// The first day of a period, as it is declined in a sentence: `March 9`, `с 9 марта`, `9 наурыздан`.
    pub fn from_day(&self, date: Date) -> String {
        let day = icu_date(date).map_or_else(|| date.to_string(), |date| self.long_day.format(&date).to_string());
        self.declined(date, day)
    }

    /// The same with the year: `March 9, 2025`, `с 9 марта 2025 г.`, `2025 жылғы 9 наурыздан`.
    pub fn from_day_of_year(&self, date: Date) -> String {
        self.declined(date, self.date(date))
    }

    fn declined(&self, date: Date, text: String) -> String {
        match self.language {
            Language::Kk => text + kazakh::ablative(date.month()),
            // "Second" begins with two consonants.
            Language::Ru if date.day() == 2 => format!("со {text}"),
            Language::Ru => format!("с {text}"),
            Language::En => text,
        }
    }

    /// Time of day, as it is declined in a sentence: `18:00`, in Kazakh `18:00-дегі`.
    pub fn at_time(&self, at: &Zoned) -> String {
        let time = at.strftime("%H:%M").to_string();
        if self.language == Language::Kk { format!("{time}-{}", kazakh::locative(at.minute())) } else { time }
    }

    /// Compares two names in the alphabetical order of the language.
    pub fn order(&self, a: &str, b: &str) -> Ordering {
        self.collator.compare(a, b)
    }
}

fn icu_date(date: Date) -> Option<IcuDate<icu_calendar::Iso>> {
    IcuDate::try_new_iso(date.year().into(), date.month().unsigned_abs(), date.day().unsigned_abs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each<T>(of: impl Fn(&Locale) -> T) -> [T; 3] {
        Language::ALL.map(|language| of(Locale::of(language)))
    }

    #[test]
    fn numbers_are_grouped_as_each_language_does() {
        assert_eq!(each(|locale| locale.number(1_195_000)), ["1\u{a0}195\u{a0}000", "1\u{a0}195\u{a0}000", "1,195,000"]);
        assert_eq!(each(|locale| locale.average(1_234_567, 1_000).unwrap_or_default()), ["1\u{a0}234,6", "1\u{a0}234,6", "1,234.6"]);
    }

    #[test]
    fn dates_are_written_in_full() {
        let vote = jiff::civil::date(2026, 3, 15);
        assert_eq!(each(|locale| locale.date(vote)), ["2026\u{a0}жылғы 15 наурыз", "15 марта 2026\u{a0}г.", "March 15, 2026"]);
        assert_eq!(each(|locale| locale.day(jiff::civil::date(2026, 2, 16))), ["16 ақп.", "16 февр.", "Feb 16"]);
        assert_eq!(each(|locale| locale.from_day(jiff::civil::date(2026, 3, 9))), ["9 наурыздан", "с 9 марта", "March 9"]);
        let dated = each(|locale| locale.from_day_of_year(jiff::civil::date(2025, 3, 2)));
        assert_eq!(dated, ["2025\u{a0}жылғы 2 наурыздан", "со 2 марта 2025\u{a0}г.", "March 2, 2025"]);
        let from = |month| Locale::of(Language::Kk).from_day(jiff::civil::date(2026, month, 1));
        assert_eq!([2, 7, 9].map(from), ["1 ақпаннан", "1 шілдеден", "1 қыркүйектен"]);
    }

    #[test]
    fn times_bear_their_offset_and_kazakh_endings() {
        let at = |text: &str| text.parse::<Zoned>().unwrap();
        let evening = at("2026-03-11T18:00[Asia/Almaty]");
        assert_eq!(each(|locale| locale.at_time(&evening)), ["18:00-дегі", "18:00", "18:00"]);
        let ending = |minute| Locale::of(Language::Kk).at_time(&at(&format!("2026-03-11T18:{minute}[Asia/Almaty]")));
        assert_eq!(["05", "40", "26", "30"].map(ending), ["18:05-тегі", "18:40-тағы", "18:26-дағы", "18:30-дағы"]);
        assert_eq!(utc_offset(&evening), "UTC+5");
        assert_eq!(utc_offset(&at("2026-03-11T18:00[Asia/Kolkata]")), "UTC+5:30");
        assert_eq!(utc_offset(&at("2026-03-11T18:00[America/New_York]")), "UTC\u{2212}4");
    }

    #[test]
    fn percentages_are_never_rounded_to_0_or_100() {
        let en = Locale::of(Language::En);
        let percent = |part, whole| en.percent(part, whole).unwrap_or_default();
        assert_eq!(percent(84_512, 1_195_000), "7.1");
        assert_eq!(percent(96_531, 1_195_000), "8.1");
        assert_eq!(percent(1_194_999, 1_195_000), "99.9");
        assert_eq!(percent(1_195_000, 1_195_000), "100");
        assert_eq!(percent(1_195_001, 1_195_000), "100.1");
        assert_eq!(percent(1, 1_195_000), "0.01");
        assert_eq!(percent(9_000, 1_195_000), "0.75");
        assert_eq!(percent(0, 1_195_000), "0");
        assert_eq!(en.percent(1, 0), None);
    }

    #[test]
    fn kazakh_names_stand_in_the_order_of_the_kazakh_alphabet() {
        let order = [
            "Арыс",
            "Бәйдібек",
            "Жетісай",
            "Келес",
            "Кентау",
            "Қазығұрт",
            "Мақтаарал",
            "Ордабасы",
            "Отырар",
            "Сайрам",
            "Сарыағаш",
            "Сауран",
            "Созақ",
            "Төле би",
            "Түлкібас",
            "Түркістан",
            "Шардара",
        ];
        let mut names = order;
        names.reverse();
        names.sort_by(|a, b| Locale::of(Language::Kk).order(a, b));
        assert_eq!(names, order);
    }
}
