//! Translations of all texts that readers see, in Kazakh, Russian and English: Fluent files `locales/*.ftl`.
//!
//! Guarantees (tested): the three files have the same keys with the same arguments, and every key that the code uses; no sentence is
//! concatenated in code. Numbers are formatted by [`crate::locale`] before; where a noun depends on a number, the number itself is an
//! argument, too.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::langid;

use crate::locale::{Language, Locale};

/// Arguments of a message.
pub type Args<'a> = &'a [(&'static str, FluentValue<'a>)];

const SOURCES: [(Language, &str); 3] = [
    (Language::Kk, include_str!("../locales/kk.ftl")),
    (Language::Ru, include_str!("../locales/ru.ftl")),
    (Language::En, include_str!("../locales/en.ftl")),
];

/// Messages of one language.
pub struct Translations {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

static TRANSLATIONS: LazyLock<[Translations; 3]> = LazyLock::new(|| SOURCES.map(|(language, source)| Translations::load(language, source)));

impl Translations {
    /// The messages of a language.
    pub fn of(language: Language) -> &'static Self {
        &TRANSLATIONS[language as usize]
    }

    fn load(language: Language, source: &str) -> Self {
        let id = match language {
            Language::Kk => langid!("kk"),
            Language::Ru => langid!("ru"),
            Language::En => langid!("en"),
        };
        let mut bundle = FluentBundle::new_concurrent(vec![id]);
        // No direction marks around arguments: all scripts are left to right, and the PDF would print the marks.
        bundle.set_use_isolating(false);
        // INVARIANT: the files are compiled in and a test parses them; what does parse is used even if something does not.
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
        if bundle.add_resource(resource).is_err() {
            tracing::error!(%language, "a key is defined twice");
        }
        Self { language, bundle }
    }

    /// Number and date formats of the language.
    pub fn locale(&self) -> &'static Locale {
        Locale::of(self.language)
    }

    /// The language that the messages are in.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The message of a key without arguments.
    pub fn message(&self, key: &'static str) -> String {
        self.message_with(key, &[])
    }

    /// The message of a key with arguments. A missing message is a bug: it is logged, and its key is returned.
    pub fn message_with(&self, key: &'static str, args: Args<'_>) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(language = %self.language, key, "a message is missing");
            return key.to_owned();
        };
        let args: FluentArgs<'_> = args.iter().map(|(name, value)| (*name, value.clone())).collect();
        let mut errors = Vec::new();
        let sentence = self.bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(language = %self.language, key, ?errors, "a message lacks an argument");
        }
        sentence
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Key to the names of its arguments, read from the text: `{ $name }`, `{ $name -> ... }`.
    fn keys(source: &str) -> BTreeMap<String, BTreeSet<String>> {
        let mut keys = BTreeMap::new();
        let mut key = String::new();
        for line in source.lines().filter(|line| !line.starts_with('#')) {
            if let Some((name, _)) = line.split_once(" =").filter(|(name, _)| !name.starts_with([' ', '[', '*'])) {
                key = name.to_owned();
                keys.insert(key.clone(), BTreeSet::new());
            }
            for rest in line.split('$').skip(1) {
                let name = rest.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').next().unwrap_or_default();
                keys.entry(key.clone()).or_default().insert(name.to_owned());
            }
        }
        keys
    }

    /// The sources of this crate without their tests.
    fn code() -> String {
        fn walk(folder: &std::path::Path, found: &mut String) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    let code = std::fs::read_to_string(&path).unwrap();
                    found.push_str(code.split("#[cfg(test)]").next().unwrap_or_default());
                }
            }
        }
        let mut found = String::new();
        walk(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        found
    }

    /// Keys in the code: `message("...")`, `message_with("...", ...)`.
    fn used_keys(code: &str) -> BTreeSet<String> {
        let calls = ["message(", "message_with("].into_iter().flat_map(|opening| code.split(opening).skip(1));
        let literals = calls.filter_map(|rest| rest.trim_start().strip_prefix('"'));
        literals.filter_map(|rest| rest.split_once('"')).map(|(key, _)| key.to_owned()).collect()
    }

    #[test]
    fn the_three_languages_have_the_same_keys_and_arguments() {
        let [kk, ru, en] = SOURCES.map(|(_, source)| keys(source));
        assert_eq!(kk, ru);
        assert_eq!(ru, en);
        for (language, source) in SOURCES {
            assert!(FluentResource::try_new(source.to_owned()).is_ok(), "{language} does not parse");
            assert!(!source.contains('!'), "{language} has an exclamation mark");
        }
    }

    #[test]
    fn every_used_key_exists_and_every_key_is_used() {
        let there: BTreeSet<String> = keys(SOURCES[2].1).into_keys().collect();
        let code = code();
        let missing: Vec<String> = used_keys(&code).difference(&there).cloned().collect();
        assert!(missing.is_empty(), "no message for {missing:?}");
        let left_over: Vec<&String> = there.iter().filter(|key| !code.contains(&format!("\"{key}\""))).collect();
        assert!(left_over.is_empty(), "nothing uses {left_over:?}");
    }

    #[test]
    fn kazakh_letters_are_intact() {
        let source = SOURCES[0].1;
        for letter in ['ә', 'ғ', 'қ', 'ң', 'ө', 'ұ', 'ү', 'і'] {
            assert!(source.contains(letter), "{letter} is missing");
        }
        let kazakh: String = source.lines().filter_map(|line| line.split_once('=')).map(|(_, text)| text).collect();
        for word in kazakh.split(|letter: char| !letter.is_alphabetic()) {
            let cyrillic = word.chars().any(|letter| ('\u{400}'..'\u{530}').contains(&letter));
            assert!(!cyrillic || !word.chars().any(|letter| letter.is_ascii_alphabetic()), "{word} mixes alphabets");
        }
    }
}
