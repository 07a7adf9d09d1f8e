//! All that the typesetter can see: the template, the values, two fonts. Everything else is refused.

use std::sync::LazyLock;

use typst::{
    Library, LibraryExt, World,
    diag::{FileError, FileResult},
    foundations::{Bytes, Datetime, Duration},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};

const TEMPLATE: &str = include_str!("../../templates/report.typ");

/// What no report changes: the library, the fonts, the template.
struct Furniture {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    template: Source,
    values: FileId,
}

static FURNITURE: LazyLock<Furniture> = LazyLock::new(|| {
    let fonts: Vec<Font> = [
        include_bytes!("../../assets/fonts/Inter-Regular.otf").as_slice(),
        include_bytes!("../../assets/fonts/Inter-SemiBold.otf").as_slice(),
    ]
    .into_iter()
    .flat_map(|font| Font::iter(Bytes::new(font)))
    .collect();
    Furniture {
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

/// A text in letters that both fonts have. The signs of JSON are among them, so that JSON stays JSON.
pub(super) fn printable(text: &str) -> String {
    let has_glyph = |letter: char| FURNITURE.fonts.iter().all(|font| font.info().coverage.contains(u32::from(letter)));
    text.chars().map(|letter| if letter.is_ascii() || has_glyph(letter) { letter } else { '?' }).collect()
}

/// One report's view of the world.
pub(super) struct Desk {
    values: Bytes,
}

impl Desk {
    pub(super) fn new(values: Vec<u8>) -> Self {
        Self { values: Bytes::new(values) }
    }

    fn refused() -> FileError {
        FileError::AccessDenied
    }
}

impl World for Desk {
    fn library(&self) -> &LazyHash<Library> {
        &FURNITURE.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &FURNITURE.book
    }

    fn main(&self) -> FileId {
        FURNITURE.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == FURNITURE.template.id() { Ok(FURNITURE.template.clone()) } else { Err(Self::refused()) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == FURNITURE.values { Ok(self.values.clone()) } else { Err(Self::refused()) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        FURNITURE.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
