//! Unit codes as written by people who do not know the list of codes.

use qamtu_schemas::id::UnitCode;

use super::emitter::EventEmitter;

/// The problem code that a misspelt unit gets.
pub(super) const UNKNOWN_UNIT: &str = "unknown-unit";

/// An unknown code for a unit: its name in one of three languages, in the letters that a code may have.
pub(super) fn misspelt(emitter: &mut EventEmitter<'_>, unit: usize) -> UnitCode {
    let units = &emitter.world.campaign.units;
    let names = &units[unit].names;
    let spelt = |name: &str| name.chars().flat_map(char::to_lowercase).map(transliterate).collect::<String>();
    let name: String = match emitter.rng.weighted([0.5, 0.3, 0.2].into_iter()) {
        0 => spelt(&names.kk),
        1 => spelt(&names.ru),
        _ => names.en.chars().take_while(char::is_ascii_alphabetic).collect(),
    };
    let known = |code: &UnitCode| units.iter().any(|unit| unit.code == *code);
    let parsed = name.parse().ok().filter(|code| !known(code));
    // INVARIANT: a unit's code and a letter are a valid code.
    parsed.unwrap_or_else(|| format!("{}x", units[unit].code).parse().expect("a unit code"))
}

/// Kazakh and Russian letters, and how they are typed on a Latin keyboard.
const CYRILLIC: &str = "а ә б в г ғ д е ё э ж з и й і к қ л м н ң о ө п р с т у ұ ү ф х һ ц ч ш щ ы ю я";
const LATIN: &str = "a a b v g g d e e e zh z i i i k q l m n n o o p r s t u u u f h h ts ch sh sh y yu ya";

/// The Latin spelling of a lowercase letter; a hyphen for a space, nothing for any other character.
fn transliterate(letter: char) -> &'static str {
    if letter == ' ' {
        return "-";
    }
    let mut spelt = CYRILLIC.split(' ').zip(LATIN.split(' '));
    spelt.find(|(cyrillic, _)| cyrillic.contains(letter)).map_or("", |(_, latin)| latin)
}
