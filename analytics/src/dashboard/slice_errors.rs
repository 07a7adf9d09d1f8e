//! Explains in the reader's language why a slice query cannot be answered, and what to write instead.

use crate::{
    dimension::Dimension,
    slice_query::{InvalidSlice, reader_dimensions},
    translations::Translations,
};

/// Values of a dimension that an explanation lists.
const LISTED: usize = 20;

/// Where the fault is and how to fix it.
pub(super) fn explain(error: &InvalidSlice, translations: &Translations) -> String {
    let names = || Dimension::all().map(Dimension::name).collect::<Vec<_>>().join(", ");
    let with = |key: &'static str, args: &[(&'static str, String)]| {
        let args: Vec<_> = args.iter().map(|(name, value)| (*name, value.as_str().into())).collect();
        translations.message_with(key, &args)
    };
    match error {
        InvalidSlice::Dimension(name) => with("slice-dimension", &[("value", name.clone()), ("known", names())]),
        InvalidSlice::Value { dimension, value, known } => {
            let more = if known.len() > LISTED { ", …" } else { "" };
            let known = format!("{}{more}", known.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", "));
            with("slice-value", &[("dimension", dimension.to_string()), ("value", value.clone()), ("known", known)])
        }
        InvalidSlice::Format { dimension, value, example } => with(
            "slice-value-format",
            &[("dimension", dimension.to_string()), ("value", value.clone()), ("example", (*example).to_owned())],
        ),
        InvalidSlice::Filter(text) => with("slice-filter", &[("value", text.clone())]),
        InvalidSlice::Unordered(dimension) => with("slice-unordered", &[("dimension", dimension.to_string())]),
        InvalidSlice::NoRoll(dimension) => with("slice-no-roll", &[("dimension", dimension.to_string())]),
        InvalidSlice::Grouping { .. } => translations.message("slice-grouping"),
        InvalidSlice::Repeated(name) => with("slice-repeated", &[("value", name.clone())]),
        InvalidSlice::ReaderMeasure { measure, known } => {
            with("slice-reader-measure", &[("measure", (*measure).to_owned()), ("known", known.clone())])
        }
        InvalidSlice::ReaderDimension { dimension } => {
            with("slice-reader-dimension", &[("dimension", dimension.to_string()), ("known", reader_dimensions())])
        }
        InvalidSlice::ReaderDimensions { most } => with("slice-reader-dimensions", &[("most", most.to_string())]),
        InvalidSlice::ReaderFilter { filter } => with("slice-reader-filter", &[("value", filter.clone())]),
        InvalidSlice::ReaderUnits { units } => with("slice-reader-units", &[("units", units.join(", "))]),
        InvalidSlice::TooManyRows { rows, most } => with("slice-rows", &[("rows", rows.to_string()), ("most", most.to_string())]),
        InvalidSlice::UnknownScope(units) => with("slice-scope", &[("units", units.join(", "))]),
        InvalidSlice::Measure { word, known } => with("slice-measure", &[("value", word.clone()), ("known", known.clone())]),
        InvalidSlice::NotOfPeople { measure, dimension } => {
            with("slice-not-of-people", &[("measure", (*measure).to_owned()), ("dimension", dimension.to_string())])
        }
    }
}
