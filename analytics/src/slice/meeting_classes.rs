//! Classes of meetings that are in the same groups: whatever is counted of a meeting is counted once for its class, and then for its groups.

use std::collections::HashMap;

use super::people_counts::PeopleCounts;
use crate::facts_store::MeetingCounts;

/// Meetings that are in the same groups. Meetings in no group are the first class.
#[derive(Debug)]
pub(super) struct MeetingClasses {
    /// Class of each meeting.
    class_of: Vec<u32>,
    /// Exclusive end of each class's groups.
    ends: Vec<u32>,
    groups: Vec<u32>,
}

impl MeetingClasses {
    pub(super) fn new(groups: &[Vec<u32>], meetings: usize) -> Self {
        let mut groups_of: Vec<Vec<u32>> = vec![Vec::new(); meetings];
        for (group, list) in (0..).zip(groups) {
            for meeting in list {
                let own = &mut groups_of[*meeting as usize];
                if own.last() != Some(&group) {
                    own.push(group);
                }
            }
        }
        let mut numbers: HashMap<Vec<u32>, u32> = HashMap::from([(Vec::new(), 0)]);
        let mut classes = Self { class_of: Vec::with_capacity(meetings), ends: vec![0], groups: Vec::new() };
        for groups in groups_of {
            let next = classes.len() as u32;
            let class = *numbers.entry(groups).or_insert_with_key(|groups| {
                classes.groups.extend(groups);
                classes.ends.push(classes.groups.len() as u32);
                next
            });
            classes.class_of.push(class);
        }
        classes
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds everybody's attendances at the meetings, by group of meetings.
    pub(super) fn add_attendances(&self, of_meetings: &[MeetingCounts], sums: &mut [PeopleCounts]) {
        for (class, meeting) in self.class_of.iter().zip(of_meetings) {
            for group in self.groups(*class as usize) {
                sums[*group as usize].contacts += u64::from(meeting.contacts);
                sums[*group as usize].first_reached += u64::from(meeting.first_reached);
            }
        }
    }

    /// The class that all meetings with attendances are in, if it is one.
    pub(super) fn only(&self, of_meetings: &[MeetingCounts]) -> Option<usize> {
        let mut attended = self.class_of.iter().zip(of_meetings).filter(|(_, meeting)| meeting.contacts > 0).map(|(class, _)| *class);
        let first = attended.next()?;
        attended.all(|class| class == first).then_some(first as usize)
    }

    /// Class of a meeting.
    pub(super) fn of(&self, meeting: u32) -> usize {
        self.class_of[meeting as usize] as usize
    }

    /// Groups of a class.
    pub(super) fn groups(&self, class: usize) -> &[u32] {
        let start = if class == 0 { 0 } else { self.ends[class - 1] };
        &self.groups[start as usize..self.ends[class] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meetings_in_the_same_groups_are_one_cell() {
        let classes = MeetingClasses::new(&[vec![0, 2, 4, 4], vec![2, 3, 4]], 6);
        assert_eq!(classes.class_of, [1, 0, 2, 3, 2, 0]);
        assert_eq!((0..classes.len()).map(|class| classes.groups(class)).collect::<Vec<_>>(), [&[][..], &[0], &[0, 1], &[1]]);
    }
}
