//! The languages of the page and the report, and the choice of one for a browser.

use std::{cmp::Reverse, fmt};

use icu_locale::{Locale as Tag, locale};
use icu_normalizer::ComposingNormalizerBorrowed;
use serde::{Deserialize, Serialize};

/// A language of the page and the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Kazakh, the state language.
    Kk,
    /// Russian, as written in Kazakhstan.
    Ru,
    /// English, with American dates and numbers.
    En,
}

impl Language {
    /// Every language, the state language first.
    pub const ALL: [Self; 3] = [Self::Kk, Self::Ru, Self::En];

    /// Its ISO 639 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Kk => "kk",
            Self::Ru => "ru",
            Self::En => "en",
        }
    }

    /// The language of a code.
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The best supported language of an `Accept-Language` header, by quality and then by order; Kazakh if none is supported.
    pub fn accepted(header: &str) -> Self {
        let ranges = header.split(',').filter_map(|range| {
            let (tag, quality) = range.split_once(';').map_or((range, 1000), |(tag, parameter)| (tag, permille(parameter)));
            let code = tag.trim().split('-').next()?.to_ascii_lowercase();
            Self::of(&code).map(|language| (quality, language))
        });
        // Of several with the best quality, `min_by_key` returns the first.
        let best = ranges.filter(|(quality, _)| *quality > 0).min_by_key(|(quality, _)| Reverse(*quality));
        best.map_or(Self::Kk, |(_, language)| language)
    }

    /// A name in this language, composed (NFC): fonts have `й` as one character.
    pub fn name(self, names: &qamtu_schemas::text::Names) -> String {
        let name: &str = match self {
            Self::Kk => &names.kk,
            Self::Ru => &names.ru,
            Self::En => &names.en,
        };
        composed(name)
    }

    pub(super) fn tag(self) -> Tag {
        match self {
            Self::Kk => locale!("kk-KZ"),
            Self::Ru => locale!("ru-KZ"),
            Self::En => locale!("en"),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A text in Unicode's composed form (NFC).
pub fn composed(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// The quality of a language range, such as `q=0.8`, in thousandths.
fn permille(parameter: &str) -> u32 {
    let quality = parameter.trim().strip_prefix("q=").and_then(|value| value.parse::<f32>().ok()).unwrap_or(0.0);
    (quality.clamp(0.0, 1.0) * 1000.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decomposed_names_are_composed() {
        assert_eq!(composed("И\u{306}од Е\u{308}лка"), "Йод Ёлка");
    }

    #[test]
    fn the_accepted_language_with_the_highest_quality_is_chosen() {
        assert_eq!(Language::accepted("ru-RU,ru;q=0.9,en;q=0.8"), Language::Ru);
        assert_eq!(Language::accepted("de, en;q=0.5, ru;q=0.7"), Language::Ru);
        assert_eq!(Language::accepted("de"), Language::Kk);
        assert_eq!(Language::accepted("kk;q=0, en"), Language::En);
        assert_eq!(Language::accepted(""), Language::Kk);
    }
}
