//! What is known of each person by number: residence, birth band, sex.

use qamtu_schemas::event::Sex;

use super::{dictionary::Dictionary, residences::ResidenceIndex};
use crate::{dimension::PersonDimension, roll::Roll};

/// Properties of people, indexed by person number.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// Residence numbers, see [`ResidenceIndex`].
    residences: Vec<u32>,
    /// First years of birth bands, 0 for unknown. Empty without a roll.
    birth_bands: Vec<u16>,
    /// The different bands, sorted.
    bands: Vec<u16>,
    /// Empty without a roll.
    sexes: Vec<Sex>,
}

/// People divided by a dimension; the last group has those without a value.
#[derive(Debug)]
pub(crate) struct PersonGroups {
    /// Values of all groups but the last.
    pub(crate) values: Dictionary,
    group_of: Vec<u32>,
}

impl PersonGroups {
    fn new(values: Dictionary, group_of: impl Iterator<Item = Option<u32>>) -> Self {
        let without = values.values().len() as u32;
        Self { group_of: group_of.map(|group| group.unwrap_or(without)).collect(), values }
    }

    /// Group of a person.
    pub(crate) fn of(&self, person: u32) -> usize {
        self.group_of[person as usize] as usize
    }

    /// How many groups there are, that without a value included.
    pub(crate) fn len(&self) -> usize {
        self.values.values().len() + 1
    }
}

/// A birth band as a value of the dimension.
fn birth_value(first_year: u16) -> String {
    format!("{first_year}-{}", first_year.saturating_add(4))
}

fn sex_value(sex: Sex) -> Option<&'static str> {
    match sex {
        Sex::Female => Some("f"),
        Sex::Male => Some("m"),
        Sex::Unknown => None,
    }
}

impl People {
    pub(super) fn of_roll(roll: &Roll, index: &ResidenceIndex) -> Self {
        let residences = roll.people().zip(index.of_roll(roll)).flat_map(|(people, residence)| people.map(move |_| residence));
        let mut is_band = vec![false; usize::from(u16::MAX) + 1];
        roll.birth_bands().iter().for_each(|band| is_band[usize::from(*band)] = true);
        Self {
            residences: residences.collect(),
            birth_bands: roll.birth_bands().to_vec(),
            bands: (1..=u16::MAX).filter(|band| is_band[usize::from(*band)]).collect(),
            sexes: roll.sexes().to_vec(),
        }
    }

    pub(super) fn of_statements(residences: Vec<u32>) -> Self {
        Self { residences, ..Self::default() }
    }

    /// Exclusive bound of the person numbers.
    pub(crate) fn len(&self) -> usize {
        self.residences.len()
    }

    /// Whether birth bands and sexes are known.
    pub(crate) fn has_roll(&self) -> bool {
        !self.sexes.is_empty()
    }

    /// Divides everybody by a dimension.
    pub(crate) fn groups(&self, by: PersonDimension, index: &ResidenceIndex) -> PersonGroups {
        match by {
            PersonDimension::Residence => {
                PersonGroups::new(index.precinct_ids().collect(), self.residences.iter().map(|residence| index.precinct_of(*residence)))
            }
            PersonDimension::ResidenceUnit => {
                PersonGroups::new(index.unit_codes().collect(), self.residences.iter().map(|residence| index.unit_of(*residence)))
            }
            PersonDimension::Birth => {
                let values: Dictionary = self.bands.iter().copied().map(birth_value).collect();
                // Years of fewer or more than four digits sort otherwise as text than as numbers.
                let numbers: Vec<Option<u32>> = self.bands.iter().map(|band| values.number(&birth_value(*band))).collect();
                let number = |band: &u16| numbers[self.bands.binary_search(band).ok()?];
                self.known(&self.birth_bands, values.clone(), number)
            }
            PersonDimension::Sex => {
                let values: Dictionary = ["f", "m"].into_iter().collect();
                let numbers = |sex: &Sex| sex_value(*sex).and_then(|value| values.number(value));
                self.known(&self.sexes, values.clone(), numbers)
            }
        }
    }

    /// Groups by a property that is known of everybody or, without a roll, of nobody.
    fn known<T>(&self, properties: &[T], values: Dictionary, number: impl Fn(&T) -> Option<u32>) -> PersonGroups {
        PersonGroups::new(values, (0..self.len()).map(|person| properties.get(person).and_then(&number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_birth_band_has_its_own_value_however_many_digits_its_year_has() {
        let birth_bands = vec![0, 985, 1985, 65_535, 985];
        let people = People { residences: vec![0; 5], bands: vec![985, 1985, 65_535], sexes: vec![Sex::Unknown; 5], birth_bands };
        let index = ResidenceIndex::of(&qamtu_schemas::Reference::default(), &Roll::default(), jiff::civil::date(2026, 3, 15));
        let groups = people.groups(PersonDimension::Birth, &index);
        let values: Vec<Option<&str>> = (0..5).map(|person| groups.values.values().get(groups.of(person)).map(String::as_str)).collect();
        assert_eq!(values, [None, Some("985-989"), Some("1985-1989"), Some("65535-65535"), Some("985-989")]);
    }
}
