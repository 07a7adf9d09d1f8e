//! Glyph coverage: replaces characters that no bundled font has by their code points.
//!
//! Guarantees: no character is lost or changed into another one. A base character and its combining marks are set in one font, so
//! characters missing in the best font become `[U+6751]`. Invisible code points are dropped.

use std::fmt::Write as _;

use icu_properties::{CodePointMapData, CodePointSetData, props::DefaultIgnorableCodePoint, props::GeneralCategory};

/// Characters that a font has a glyph for.
pub(super) trait GlyphCoverage {
    /// Whether the font has a glyph for the character.
    fn has_glyph(&self, character: char) -> bool;
}

/// A text with only characters that the fonts have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PrintableText {
    /// The text, with missing characters replaced.
    pub(super) text: String,
    /// Whether a character was replaced by its code point.
    pub(super) replaced: bool,
}

/// Replaces characters without a glyph. ASCII is in every font, so JSON stays valid.
pub(super) fn printable(text: &str, fonts: &[impl GlyphCoverage]) -> PrintableText {
    let mut out = PrintableText { text: String::with_capacity(text.len()), replaced: false };
    let mut remaining = text;
    while let Some(first) = remaining.chars().next() {
        let marks: usize = remaining.chars().skip(1).take_while(|character| is_mark(*character)).map(char::len_utf8).sum();
        let (cluster, after) = remaining.split_at(first.len_utf8() + marks);
        out.push(cluster, fonts);
        remaining = after;
    }
    out
}

impl PrintableText {
    fn push(&mut self, cluster: &str, fonts: &[impl GlyphCoverage]) {
        let characters = || cluster.chars().filter(|character| character.is_ascii() || !is_invisible(*character));
        let missing = |font: &dyn Fn(char) -> bool| characters().filter(|character| !character.is_ascii() && !font(*character)).count();
        let best = fonts.iter().min_by_key(|font| missing(&|character| font.has_glyph(character)));
        for character in characters() {
            if character.is_ascii() || best.is_some_and(|font| font.has_glyph(character)) {
                self.text.push(character);
            } else {
                self.replaced = true;
                // Writing into a string cannot fail.
                let _ = write!(self.text, "[U+{:04X}]", u32::from(character));
            }
        }
    }
}

fn is_mark(character: char) -> bool {
    let marks = [GeneralCategory::NonspacingMark, GeneralCategory::SpacingMark, GeneralCategory::EnclosingMark];
    marks.contains(&CodePointMapData::<GeneralCategory>::new().get(character)) || is_invisible(character)
}

fn is_invisible(character: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct FakeFont(&'static str);

    impl GlyphCoverage for FakeFont {
        fn has_glyph(&self, character: char) -> bool {
            self.0.contains(character)
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
