//! The report: a [`Statement`] as A4 pages of PDF.
//!
//! Guarantees: the same figures as the page of the same snapshot, since both say one statement; the same bytes for the same snapshot,
//! reader and language. What the statement says reaches the page as values, never as markup, and the compiler sees two virtual files and
//! the bundled fonts: no other file, no package, no clock. Tagged, PDF/A-2a, which allows no letter without a glyph: one that no font has
//! is written as its Unicode number, and the report says so.

mod glyphs;
mod typst_world;

use serde::Serialize;
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::{error::AnalyticsError, published::Published, statement::Statement, translations::Translations};
use typst_world::TypstWorld;

/// What the template reads.
#[derive(Serialize)]
struct ReportData<'a> {
    title: String,
    heading: String,
    author: String,
    /// With `{page}` and `{pages}` where the numbers stand.
    page: String,
    fonts: [&'static str; 2],
    /// What to know about letters that no font has; none if there are none.
    missing_glyphs: Option<String>,
    statement: &'a Statement,
}

/// The report of what a reader may see.
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
        typst::compile::<PagedDocument>(&world).output.map_err(|faults| report_error(faults.iter().map(|fault| fault.message.as_str())))?;
    let standards = PdfStandards::new(&[PdfStandard::A_2a]).map_err(|fault| report_error([fault.message().as_str()]))?;
    let options = PdfOptions {
        ident: typst::foundations::Smart::Custom(format!("{}/{}", published.snapshot, statement.language)),
        creator: typst::foundations::Smart::Custom(Some(translations.message("report-author"))),
        timestamp: document_timestamp(published),
        standards,
        ..PdfOptions::default()
    };
    typst_pdf::pdf(&document, &options).map_err(|faults| report_error(faults.iter().map(|fault| fault.message.as_str())))
}

/// What the template reads, in letters that the fonts have.
fn report_json(mut data: ReportData<'_>, translations: &Translations) -> Result<String, AnalyticsError> {
    let json = |data: &ReportData<'_>| serde_json::to_string(data).map_err(|source| AnalyticsError::Report { reason: source.to_string() });
    let written = typst_world::printable(&json(&data)?);
    if !written.replaced {
        return Ok(written.text);
    }
    data.missing_glyphs = Some(translations.message("report-letters"));
    Ok(typst_world::printable(&json(&data)?).text)
}

/// The snapshot's instant stands for the date of the document, so that its bytes depend on nothing else.
fn document_timestamp(published: &Published) -> Option<Timestamp> {
    let at = published.identity.as_of.to_zoned(jiff::tz::TimeZone::UTC);
    let part = |value: i8| u8::try_from(value).ok();
    let moment = typst::foundations::Datetime::from_ymd_hms(
        at.year().into(),
        part(at.month())?,
        part(at.day())?,
        part(at.hour())?,
        part(at.minute())?,
        part(at.second())?,
    )?;
    Some(Timestamp::new_utc(moment))
}

fn report_error<'a>(messages: impl IntoIterator<Item = &'a str>) -> AnalyticsError {
    AnalyticsError::Report { reason: messages.into_iter().collect::<Vec<_>>().join("; ") }
}
