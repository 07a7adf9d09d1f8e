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

/// Kazakh and Russian letters as typed on a Latin keyboard.
fn transliterate(letter: char) -> &'static str {
    match letter {
        'а' | 'ә' => "a",
        'б' => "b",
        'в' => "v",
        'г' | 'ғ' => "g",
        'д' => "d",
        'е' | 'ё' | 'э' => "e",
        'ж' => "zh",
        'з' => "z",
        'и' | 'й' | 'і' => "i",
        'к' => "k",
        'қ' => "q",
        'л' => "l",
        'м' => "m",
        'н' | 'ң' => "n",
        'о' | 'ө' => "o",
        'п' => "p",
        'р' => "r",
        'с' => "s",
        'т' => "t",
        'у' | 'ұ' | 'ү' => "u",
        'ф' => "f",
        'х' | 'һ' => "h",
        'ц' => "ts",
        'ч' => "ch",
        'ш' | 'щ' => "sh",
        'ы' => "y",
        'ю' => "yu",
        'я' => "ya",
        ' ' => "-",
        _ => "",
    }
}
