//! Letters that the report can print: what no bundled font has is written as its Unicode number.
//!
//! Guarantees: no letter is lost or turned into another one. A letter and its marks stand in one font, since they are set together; where
//! no font has all of them, those that are missing become `[U+6751]`. Code points that are invisible by themselves are left out.

use std::fmt::Write as _;

use icu::properties::{CodePointMapData, CodePointSetData, props::DefaultIgnorableCodePoint, props::GeneralCategory};

/// The letters that a font has.
pub(super) trait GlyphCoverage {
    /// Whether it has a letter.
    fn has_glyph(&self, letter: char) -> bool;
}

/// A text whose letters each have a glyph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PrintableText {
    /// The text, with missing characters replaced.
    pub(super) text: String,
    /// Whether a letter was replaced by its number.
    pub(super) replaced: bool,
}

/// Writes a text in the letters of some fonts. ASCII is in all of them, so that JSON stays JSON.
pub(super) fn printable(text: &str, fonts: &[impl GlyphCoverage]) -> PrintableText {
    let mut out = PrintableText { text: String::with_capacity(text.len()), replaced: false };
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let marks: usize = rest.chars().skip(1).take_while(|letter| is_mark(*letter)).map(char::len_utf8).sum();
        let (cluster, after) = rest.split_at(first.len_utf8() + marks);
        out.push(cluster, fonts);
        rest = after;
    }
    out
}

impl PrintableText {
    fn push(&mut self, cluster: &str, fonts: &[impl GlyphCoverage]) {
        let letters = || cluster.chars().filter(|letter| letter.is_ascii() || !is_invisible(*letter));
        let missing = |font: &dyn Fn(char) -> bool| letters().filter(|letter| !letter.is_ascii() && !font(*letter)).count();
        let best = fonts.iter().min_by_key(|font| missing(&|letter| font.has_glyph(letter)));
        for letter in letters() {
            if letter.is_ascii() || best.is_some_and(|font| font.has_glyph(letter)) {
                self.text.push(letter);
            } else {
                self.replaced = true;
                // Writing into a string cannot fail.
                let _ = write!(self.text, "[U+{:04X}]", u32::from(letter));
            }
        }
    }
}

fn is_mark(letter: char) -> bool {
    let marks = [GeneralCategory::NonspacingMark, GeneralCategory::SpacingMark, GeneralCategory::EnclosingMark];
    marks.contains(&CodePointMapData::<GeneralCategory>::new().get(letter)) || is_invisible(letter)
}

fn is_invisible(letter: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct FakeFont(&'static str);

    impl GlyphCoverage for FakeFont {
        fn has_glyph(&self, letter: char) -> bool {
            self.0.contains(letter)
        }
    }

    fn written(text: &str) -> (String, bool) {
        let printable = printable(text, &[FakeFont("абвй"), FakeFont("абვ\u{301}")]);
        (printable.text, printable.replaced)
    }

    #[test]
    fn a_letter_without_a_glyph_is_written_as_its_number() {
        assert_eq!(written("аб"), ("аб".to_owned(), false));
        assert_eq!(written("а村?"), ("а[U+6751]?".to_owned(), true));
        assert_eq!(written("🏡"), ("[U+1F3E1]".to_owned(), true));
    }

    #[test]
    fn a_letter_and_its_mark_stand_in_one_font() {
        assert_eq!(written("а\u{301}"), ("а\u{301}".to_owned(), false));
        // The font of й lacks the mark, the font of the mark lacks й.
        assert!(written("й\u{301}").1);
    }

    #[test]
    fn invisible_signs_are_left_out() {
        assert_eq!(written("а\u{200d}\u{fe0f}б"), ("аб".to_owned(), false));
    }
}
