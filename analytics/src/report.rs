//! The report: renders a [`Statement`] as A4 pages of PDF.
//!
//! Guarantees: the page of the same snapshot renders the same statement, so the figures are equal. The same snapshot, reader and language
//! give the same bytes. Texts are passed to Typst as JSON values, never as markup; the compiler can read two virtual files and the bundled
//! fonts, but no other file, package or clock. The PDF is tagged PDF/A-2a, which requires a glyph for every character: a character without
//! one is written as its code point, and the report explains that.

mod glyphs;
mod typst_world;

use serde::Serialize;
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::{error::AnalyticsError, published::Published, statement::Statement, translations::Translations};
use typst_world::TypstWorld;

/// Input of the template, as JSON.
#[derive(Serialize)]
struct ReportData<'a> {
    title: String,
    heading: String,
    author: String,
    /// Page footer with the placeholders `{page}` and `{pages}`.
    page: String,
    fonts: [&'static str; 2],
    /// Explains characters without a glyph; none if there are none.
    missing_glyphs: Option<String>,
    statement: &'a Statement,
}

/// Typesets the report of a reader.
pub fn pdf(published: &Published, statement: &Statement) -> Result<Vec<u8>, AnalyticsError> {
    let translations = Translations::of(statement.language);
    let heading = translations.message("report-title");
    let data = ReportData {
        title: format!("{}: {heading}", statement.campaign),
        heading,
        author: translations.message("report-author"),
        page: translations.message_with("report-page", &[("page", "{page}".into()), ("pages", "{pages}".into())]),
        fonts: typst_world::FONT_FAMILIES,
        missing_glyphs: None,
        statement,
    };
    let world = TypstWorld::new(report_json(data, translations)?.into_bytes());
    let document =
        typst::compile::<PagedDocument>(&world).output.map_err(|errors| report_error(errors.iter().map(|error| error.message.as_str())))?;
    let standards = PdfStandards::new(&[PdfStandard::A_2a]).map_err(|error| report_error([error.message().as_str()]))?;
    let options = PdfOptions {
        ident: typst::foundations::Smart::Custom(format!("{}/{}", published.snapshot, statement.language)),
        creator: typst::foundations::Smart::Custom(Some(translations.message("report-author"))),
        timestamp: document_timestamp(published),
        standards,
        ..PdfOptions::default()
    };
    typst_pdf::pdf(&document, &options).map_err(|errors| report_error(errors.iter().map(|error| error.message.as_str())))
}

/// The template's input as JSON, with only characters that the fonts have.
fn report_json(mut data: ReportData<'_>, translations: &Translations) -> Result<String, AnalyticsError> {
    let json = |data: &ReportData<'_>| serde_json::to_string(data).map_err(|source| AnalyticsError::Report { reason: source.to_string() });
    let written = typst_world::printable(&json(&data)?);
    if !written.replaced {
        return Ok(written.text);
    }
    data.missing_glyphs = Some(translations.message("report-letters"));
    Ok(typst_world::printable(&json(&data)?).text)
}

/// The as-of instant is the document date, so that the bytes depend on nothing else.
fn document_timestamp(published: &Published) -> Option<Timestamp> {
    let at = published.identity.as_of.to_zoned(jiff::tz::TimeZone::UTC);
    let part = |value: i8| u8::try_from(value).ok();
    let datetime = typst::foundations::Datetime::from_ymd_hms(
        at.year().into(),
        part(at.month())?,
        part(at.day())?,
        part(at.hour())?,
        part(at.minute())?,
        part(at.second())?,
    )?;
    Some(Timestamp::new_utc(datetime))
}

fn report_error<'a>(messages: impl IntoIterator<Item = &'a str>) -> AnalyticsError {
    AnalyticsError::Report { reason: messages.into_iter().collect::<Vec<_>>().join("; ") }
}
