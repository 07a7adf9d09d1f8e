//! Every sentence that people read, in Kazakh, Russian and English: `locales/*.ftl`.
//!
//! Guarantees (tested): the three files hold the same keys with the same arguments, and every key that the code asks for; no sentence is
//! put together in code. Numbers arrive already written by [`crate::locale`]; where a noun follows a number, the number itself comes too.

use std::sync::LazyLock;

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use unic_langid::langid;

use crate::locale::{Language, Locale};

/// Arguments of a sentence.
pub type Args<'a> = &'a [(&'static str, FluentValue<'a>)];

const SOURCES: [(Language, &str); 3] = [
    (Language::Kk, include_str!("../locales/kk.ftl")),
    (Language::Ru, include_str!("../locales/ru.ftl")),
    (Language::En, include_str!("../locales/en.ftl")),
];

/// The words of one language.
pub struct Translations {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

static TRANSLATIONS: LazyLock<[Translations; 3]> = LazyLock::new(|| SOURCES.map(|(language, source)| Translations::load(language, source)));

impl Translations {
    /// The words of a language.
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
        // Marks of direction around arguments: all our scripts run the same way, and the PDF would print them.
        bundle.set_use_isolating(false);
        // INVARIANT: the files are compiled in and a test parses them; what does parse is used even if something does not.
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(resource, _)| resource);
        if bundle.add_resource(resource).is_err() {
            tracing::error!(%language, "a key stands twice in the words");
        }
        Self { language, bundle }
    }

    /// The conventions that go with the words.
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

    /// A sentence with arguments. A missing sentence would be a fault of this program: it is logged, and its key is shown.
    pub fn message_with(&self, key: &'static str, args: Args<'_>) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            tracing::error!(language = %self.language, key, "words are missing");
            return key.to_owned();
        };
        let args: FluentArgs<'_> = args.iter().map(|(name, value)| (*name, value.clone())).collect();
        let mut errors = Vec::new();
        let sentence = self.bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(language = %self.language, key, ?errors, "words lack an argument");
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

    /// Keys that are asked for by name: `message("...")`, `message_with("...", ...)`.
    fn used_keys(code: &str) -> BTreeSet<String> {
        let calls = ["message(", "message_with("].into_iter().flat_map(|opening| code.split(opening).skip(1));
        let literals = calls.filter_map(|rest| rest.trim_start().strip_prefix('"'));
        literals.filter_map(|rest| rest.split_once('"')).map(|(key, _)| key.to_owned()).collect()
    }

    #[test]
    fn the_three_languages_say_the_same_things() {
        let [kk, ru, en] = SOURCES.map(|(_, source)| keys(source));
        assert_eq!(kk, ru);
        assert_eq!(ru, en);
        for (language, source) in SOURCES {
            assert!(FluentResource::try_new(source.to_owned()).is_ok(), "{language} does not parse");
            assert!(!source.contains('!'), "{language} cries out");
        }
    }

    #[test]
    fn the_code_asks_for_what_there_is_and_nothing_is_left_over() {
        let there: BTreeSet<String> = keys(SOURCES[2].1).into_keys().collect();
        let code = code();
        let missing: Vec<String> = used_keys(&code).difference(&there).cloned().collect();
        assert!(missing.is_empty(), "no words for {missing:?}");
        let left_over: Vec<&String> = there.iter().filter(|key| !code.contains(&format!("\"{key}\""))).collect();
        assert!(left_over.is_empty(), "nothing asks for {left_over:?}");
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
