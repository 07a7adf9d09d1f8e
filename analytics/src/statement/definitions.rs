//! What the figures mean, with their formulas.

use serde::Serialize;

use super::pen::Pen;

/// Definitions of the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Definitions {
    /// Their title.
    pub title: String,
    /// One after the other.
    pub list: Vec<Definition>,
}

/// What one figure means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// The figure.
    pub term: String,
    /// Its formula.
    pub formula: String,
    /// The formula in words.
    pub text: String,
}

pub(super) fn definitions(pen: &Pen<'_>) -> Definitions {
    let words = pen.words;
    let withheld = pen.withheld_counts();
    let define = |term: String, formula: String, text: String| Definition { term, formula, text };
    Definitions {
        title: words.say("definitions-title"),
        list: vec![
            define(words.say("define-reached"), words.say("define-reached-formula"), words.say("define-reached-text")),
            define(words.say("define-coverage"), words.say("define-coverage-formula"), words.say("define-coverage-text")),
            define(words.say("define-bounds"), words.say("define-bounds-formula"), words.say("define-bounds-text")),
            define(words.say("define-gross"), words.say("define-gross-formula"), words.say("define-gross-text")),
            define(words.say("define-residents"), words.say("define-residents-formula"), words.say("define-residents-text")),
            define(words.say("define-plan"), words.say("define-plan-formula"), words.say("define-plan-text")),
            define(words.say("define-ceiling"), words.say("define-ceiling-formula"), words.say("define-ceiling-text")),
            define(words.say("define-identified"), words.say("define-identified-formula"), words.say("define-identified-text")),
            define(
                words.say("define-withheld"),
                words.say_with("define-withheld-formula", &withheld),
                words.say_with("define-withheld-text", &withheld),
            ),
            define(words.say("define-missing"), words.say("define-missing-formula"), words.say("define-missing-text")),
        ],
    }
}
