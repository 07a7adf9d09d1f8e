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

/// People divided by a dimension, in the order of its values; the last group has those without a value.
#[derive(Debug)]
pub(crate) struct PersonGroups<'a> {
    key: PersonKey<'a>,
    /// Group by residence number, first year of the birth band, or sex.
    group_of: Vec<u32>,
    values: usize,
}

/// What decides about a person's group.
#[derive(Debug)]
enum PersonKey<'a> {
    Residence(&'a [u32]),
    Birth(&'a [u16]),
    Sex(&'a [Sex]),
}

impl PersonGroups<'_> {
    /// Group of a person.
    pub(crate) fn of(&self, person: u32) -> usize {
        let person = person as usize;
        let key = match self.key {
            PersonKey::Residence(residences) => residences.get(person).map(|residence| *residence as usize),
            PersonKey::Birth(bands) => bands.get(person).map(|band| usize::from(*band)),
            PersonKey::Sex(sexes) => sexes.get(person).map(|sex| *sex as usize),
        };
        key.and_then(|key| self.group_of.get(key)).map_or(self.values, |group| *group as usize)
    }

    /// How many groups there are, that without a value included.
    pub(crate) fn len(&self) -> usize {
        self.values + 1
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

    /// The values of a dimension; none if it is known from a roll only, and there is none.
    pub(super) fn values(&self, of: PersonDimension, index: &ResidenceIndex) -> Option<Dictionary> {
        match of {
            PersonDimension::Residence => Some(index.precinct_ids().collect()),
            PersonDimension::ResidenceUnit => Some(index.unit_codes().collect()),
            PersonDimension::Birth => self.has_roll().then(|| self.bands.iter().copied().map(birth_value).collect()),
            PersonDimension::Sex => self.has_roll().then(|| ["f", "m"].into_iter().collect()),
        }
    }

    /// Divides everybody by a dimension with these values.
    pub(super) fn groups(&self, by: PersonDimension, values: &Dictionary, index: &ResidenceIndex) -> PersonGroups<'_> {
        let without = values.values().len() as u32;
        let of_residences = |group: fn(&ResidenceIndex, u32) -> Option<u32>| {
            (0..index.len()).map(|residence| group(index, residence as u32).unwrap_or(without)).collect()
        };
        let (key, group_of) = match by {
            PersonDimension::Residence => (PersonKey::Residence(&self.residences), of_residences(ResidenceIndex::precinct_of)),
            PersonDimension::ResidenceUnit => (PersonKey::Residence(&self.residences), of_residences(ResidenceIndex::unit_of)),
            PersonDimension::Birth => {
                // Years of fewer or more than four digits sort otherwise as text than as numbers.
                let mut group_of = vec![without; usize::from(u16::MAX) + 1];
                for band in &self.bands {
                    group_of[usize::from(*band)] = values.number(&birth_value(*band)).unwrap_or(without);
                }
                (PersonKey::Birth(&self.birth_bands), group_of)
            }
            PersonDimension::Sex => {
                let mut group_of = vec![without; 3];
                for sex in [Sex::Female, Sex::Male, Sex::Unknown] {
                    group_of[sex as usize] = sex_value(sex).and_then(|value| values.number(value)).unwrap_or(without);
                }
                (PersonKey::Sex(&self.sexes), group_of)
            }
        };
        PersonGroups { key, group_of, values: values.values().len() }
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
        let values = people.values(PersonDimension::Birth, &index).expect("a roll");
        let groups = people.groups(PersonDimension::Birth, &values, &index);
        let values: Vec<Option<&str>> = (0..5).map(|person| values.values().get(groups.of(person)).map(String::as_str)).collect();
        assert_eq!(values, [None, Some("985-989"), Some("1985-1989"), Some("65535-65535"), Some("985-989")]);
    }
}
