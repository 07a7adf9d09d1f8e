//! Definitions of the figures for readers, with formulas.

use serde::Serialize;

use super::figure_formatter::FigureFormatter;

/// Definitions of the figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Definitions {
    /// Title of the section.
    pub title: String,
    /// The definitions, in reading order.
    pub list: Vec<Definition>,
}

/// Definition of a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Definition {
    /// Name of the figure.
    pub term: String,
    /// Formula of the figure.
    pub formula: String,
    /// Explanation of the formula.
    pub text: String,
}

pub(super) fn definitions(fmt: &FigureFormatter<'_>) -> Definitions {
    let withheld = fmt.withheld_counts();
    let define = |term: String, formula: String, text: String| Definition { term, formula, text };
    Definitions {
        title: fmt.message("definitions-title"),
        list: vec![
            define(fmt.message("define-reached"), fmt.message("define-reached-formula"), fmt.message("define-reached-text")),
            define(fmt.message("define-coverage"), fmt.message("define-coverage-formula"), fmt.message("define-coverage-text")),
            define(fmt.message("define-bounds"), fmt.message("define-bounds-formula"), fmt.message("define-bounds-text")),
            define(fmt.message("define-estimate"), fmt.message("define-estimate-formula"), fmt.message("define-estimate-text")),
            define(fmt.message("define-gross"), fmt.message("define-gross-formula"), fmt.message("define-gross-text")),
            define(fmt.message("define-residents"), fmt.message("define-residents-formula"), fmt.message("define-residents-text")),
            define(fmt.message("define-plan"), fmt.message("define-plan-formula"), fmt.message("define-plan-text")),
            define(fmt.message("define-ceiling"), fmt.message("define-ceiling-formula"), fmt.message("define-ceiling-text")),
            define(fmt.message("define-identified"), fmt.message("define-identified-formula"), fmt.message("define-identified-text")),
            define(
                fmt.message("define-withheld"),
                fmt.message_with("define-withheld-formula", &withheld),
                fmt.message_with("define-withheld-text", &withheld),
            ),
            define(fmt.message("define-missing"), fmt.message("define-missing-formula"), fmt.message("define-missing-text")),
        ],
    }
}
