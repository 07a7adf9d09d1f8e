//! Which groups each class of meetings is in, one bit for each group: the groups that a person is in are the union of the masks of their
//! meetings, and [`MaskCounter`]s count 64 groups of a person at once.

use super::meeting_classes::MeetingClasses;
use crate::mask_counter::{BITS, MaskCounter};

/// Groups that masks are used for. With more, the masks of many classes leave the processor's caches.
pub(super) const MAX_GROUPS: usize = 512;

/// A mask of one, two, four or eight words for each class.
#[derive(Debug)]
pub(super) struct ClassMasks {
    words: usize,
    masks: Vec<u64>,
}

impl ClassMasks {
    /// The masks of classes of so many groups; none if they are too many.
    pub(super) fn new(classes: &MeetingClasses, groups: usize) -> Option<Self> {
        if groups > MAX_GROUPS {
            return None;
        }
        let words = Self::words_of(groups);
        let mut masks = vec![0; words * classes.len()];
        for class in 0..classes.len() {
            for group in classes.groups(class).iter().map(|group| *group as usize) {
                masks[class * words + group / BITS] |= 1 << (group % BITS);
            }
        }
        Some(Self { words, masks })
    }

    fn words_of(groups: usize) -> usize {
        groups.div_ceil(BITS).next_power_of_two()
    }

    /// How many counters of 8 bytes need as much memory as the mask counters of so many groups, for each group of people.
    pub(super) fn counters(groups: usize) -> usize {
        Self::words_of(groups) * size_of::<MaskCounter>() / 8
    }

    /// Length of a mask, in words of 64 bits.
    pub(super) fn words(&self) -> usize {
        self.words
    }

    /// The groups that some classes are in. `WORDS` is [`Self::words`].
    pub(super) fn union<const WORDS: usize>(&self, classes: impl Iterator<Item = usize>) -> [u64; WORDS] {
        let mut union = [0; WORDS];
        for class in classes {
            union.iter_mut().zip(&self.masks[class * WORDS..][..WORDS]).for_each(|(union, own)| *union |= own);
        }
        union
    }
}
