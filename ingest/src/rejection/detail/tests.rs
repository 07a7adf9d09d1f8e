//! The table of messages: every language, the same parameters.

use std::collections::BTreeSet;

use super::{Detail, messages::TABLE};
use crate::rejection::Language;

/// Names of the parameters in a message.
fn parameters(message: &str) -> BTreeSet<&str> {
    let plain = message.split("{{").flat_map(|part| part.split("}}"));
    plain.flat_map(|part| part.split('{').skip(1)).filter_map(|rest| rest.split('}').next()).collect()
}

#[test]
fn every_message_is_a_calm_sentence_with_the_same_parameters_in_three_languages() {
    for [name, en, ru, kk] in TABLE {
        for (text, other) in [(ru, en), (kk, en)] {
            assert_eq!(parameters(text), parameters(other), "{name}");
            assert!(text.chars().any(|c| ('а'..='ё').contains(&c) || "әғқңөұүһі".contains(c)), "{name}: {text}");
            assert_ne!(ru, kk, "{name}");
        }
        for text in [en, ru, kk] {
            assert!(text.ends_with('.') && !text.contains('!') && !text.contains("  "), "{name}: {text}");
        }
    }
}

#[test]
fn parameters_are_shown_in_every_language() {
    let detail = Detail::WriteWhole { most: 77 };
    for language in [Language::En, Language::Ru, Language::Kk] {
        assert!(detail.message(language).contains("77"));
    }
    assert_eq!(Detail::JsonEnded.message(Language::Kk), "JSON аяқталмай қалған.");
}
