//! The Typst `World`: template, values and bundled fonts. Access to everything else is denied.
//!
//! Inter is the typeface of the report; DejaVu Sans, which covers more scripts, is the fallback.

use std::sync::LazyLock;

use typst::{
    Library, LibraryExt, World,
    diag::{FileError, FileResult},
    foundations::{Bytes, Datetime, Duration},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};

use super::glyphs::{self, GlyphCoverage, PrintableText};

const TEMPLATE: &str = include_str!("../../templates/report.typ");

/// Font families in the order of preference.
pub(super) const FONT_FAMILIES: [&str; 2] = ["Inter", "DejaVu Sans"];

/// Assets that all reports share.
struct ReportAssets {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    template: Source,
    values: FileId,
}

static ASSETS: LazyLock<ReportAssets> = LazyLock::new(|| {
    let fonts: Vec<Font> = [
        include_bytes!("../../templates/fonts/Inter-Regular.otf").as_slice(),
        include_bytes!("../../templates/fonts/Inter-SemiBold.otf").as_slice(),
        include_bytes!("../../templates/fonts/DejaVuSans.ttf").as_slice(),
    ]
    .into_iter()
    .flat_map(|font| Font::iter(Bytes::new(font)))
    .collect();
    ReportAssets {
        library: LazyHash::new(Library::default()),
        book: LazyHash::new(FontBook::from_fonts(&fonts)),
        fonts,
        template: Source::new(file("/report.typ"), TEMPLATE.to_owned()),
        values: file("/statement.json"),
    }
});

fn file(path: &str) -> FileId {
    // INVARIANT: both paths are literals without `..`.
    let path = VirtualPath::new(path).expect("a plain path");
    FileId::new(RootedPath::new(VirtualRoot::Project, path))
}

impl GlyphCoverage for Font {
    fn has_glyph(&self, character: char) -> bool {
        self.info().coverage.contains(u32::from(character))
    }
}

/// Replaces characters that no bundled font has.
pub(super) fn printable(text: &str) -> PrintableText {
    glyphs::printable(text, &ASSETS.fonts)
}

/// The files of one report.
pub(super) struct TypstWorld {
    values: Bytes,
}

impl TypstWorld {
    pub(super) fn new(values: Vec<u8>) -> Self {
        Self { values: Bytes::new(values) }
    }

    fn access_denied() -> FileError {
        FileError::AccessDenied
    }
}

impl World for TypstWorld {
    fn library(&self) -> &LazyHash<Library> {
        &ASSETS.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &ASSETS.book
    }

    fn main(&self) -> FileId {
        ASSETS.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == ASSETS.template.id() { Ok(ASSETS.template.clone()) } else { Err(Self::access_denied()) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == ASSETS.values { Ok(self.values.clone()) } else { Err(Self::access_denied()) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        ASSETS.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
