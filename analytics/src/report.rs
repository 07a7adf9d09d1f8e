//! The report: a [`Statement`] as A4 pages of PDF.
//!
//! Guarantees: the same figures as the page of the same snapshot, since both say one statement; the same bytes for the same snapshot,
//! reader and language. What the statement says reaches the page as values, never as markup, and the compiler sees two virtual files and
//! the bundled fonts: no other file, no package, no clock. Tagged, PDF/A-2a, which allows no letter without a glyph: one that no font has
//! is written as its Unicode number, and the report says so.

mod letters;
mod world;

use serde::Serialize;
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use crate::{error::AnalyticsError, published::Published, statement::Statement, words::Words};
use world::ReportWorld;

/// What the template reads.
#[derive(Serialize)]
struct Sheet<'a> {
    title: String,
    heading: String,
    author: String,
    /// With `{page}` and `{pages}` where the numbers stand.
    page: String,
    fonts: [&'static str; 2],
    /// What to know about letters that no font has; none if there are none.
    letters: Option<String>,
    statement: &'a Statement,
}

/// The report of what a reader may see.
pub fn pdf(published: &Published, statement: &Statement) -> Result<Vec<u8>, AnalyticsError> {
    let words = Words::of(statement.language);
    let heading = words.say("report-title");
    let sheet = Sheet {
        title: format!("{}: {heading}", statement.campaign),
        heading,
        author: words.say("report-author"),
        page: words.say_with("report-page", &[("page", "{page}".into()), ("pages", "{pages}".into())]),
        fonts: world::FAMILIES,
        letters: None,
        statement,
    };
    let world = ReportWorld::new(values(sheet, words)?.into_bytes());
    let document =
        typst::compile::<PagedDocument>(&world).output.map_err(|faults| unfit(faults.iter().map(|fault| fault.message.as_str())))?;
    let standards = PdfStandards::new(&[PdfStandard::A_2a]).map_err(|fault| unfit([fault.message().as_str()]))?;
    let options = PdfOptions {
        ident: typst::foundations::Smart::Custom(format!("{}/{}", published.snapshot, statement.language)),
        creator: typst::foundations::Smart::Custom(Some(words.say("report-author"))),
        timestamp: stamp(published),
        standards,
        ..PdfOptions::default()
    };
    typst_pdf::pdf(&document, &options).map_err(|faults| unfit(faults.iter().map(|fault| fault.message.as_str())))
}

/// What the template reads, in letters that the fonts have.
fn values(mut sheet: Sheet<'_>, words: &Words) -> Result<String, AnalyticsError> {
    let json = |sheet: &Sheet<'_>| serde_json::to_string(sheet).map_err(|source| AnalyticsError::Report { reason: source.to_string() });
    let written = world::printable(&json(&sheet)?);
    if !written.replaced {
        return Ok(written.text);
    }
    sheet.letters = Some(words.say("report-letters"));
    Ok(world::printable(&json(&sheet)?).text)
}

/// The snapshot's instant stands for the date of the document, so that its bytes depend on nothing else.
fn stamp(published: &Published) -> Option<Timestamp> {
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

fn unfit<'a>(messages: impl IntoIterator<Item = &'a str>) -> AnalyticsError {
    AnalyticsError::Report { reason: messages.into_iter().collect::<Vec<_>>().join("; ") }
}
