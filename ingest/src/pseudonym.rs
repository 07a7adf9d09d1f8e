//! Raw identifiers to pseudonyms, in memory, at the edge.
//!
//! Guarantees: after [`replace`] a submission holds no raw identifier where a person is named; a wrong identifier is refused without
//! being shown. A pseudonym is the first 128 bits of HMAC-SHA-256 under the campaign's key, so that it says nothing without the key
//! and cannot be compared between campaigns. Keys live in [`keys`]; what digits are an identifier is decided in [`identifier`].

use std::borrow::Cow;

use hmac::{Hmac, KeyInit, Mac};
use qamtu_schemas::{Kind, event::Strength, id::Pseudonym};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

use crate::{
    rejection::{Detail, Reason, Rejection},
    submission::json::Json,
};

pub mod identifier;
pub mod keys;

use identifier::{Iin, Phone};
pub use keys::{KeyError, Keys};

/// The secret of one campaign; wiped from memory when dropped.
#[derive(Debug)]
pub struct CampaignKey(SecretSlice<u8>);

impl CampaignKey {
    /// Fewest bytes a key may have.
    pub const MIN_BYTES: usize = 32;

    /// Takes the bytes of a key.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    fn pseudonym(&self, scope: &str, identifier: &str) -> Pseudonym {
        // INVARIANT: HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("a key of any length");
        mac.update(scope.as_bytes());
        mac.update(identifier.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        Pseudonym(short)
    }

    /// The pseudonym of a national id.
    pub fn of_iin(&self, iin: &Iin) -> Pseudonym {
        self.pseudonym("qamtu:v1|iin|", iin.digits())
    }

    /// The pseudonym of a phone number.
    pub fn of_phone(&self, phone: &Phone) -> Pseudonym {
        self.pseudonym("qamtu:v1|phone|", phone.e164())
    }
}

/// The field of a payload that names a person, or people; none for types that name nobody.
pub const fn person_field(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::AttendanceRecorded => Some("attendee"),
        Kind::ConsentGiven | Kind::ConsentWithdrawn => Some("person"),
        Kind::PrecinctEnrolled => Some("voters"),
        _ => None,
    }
}

/// Replaces every raw identifier of a payload; persons already named by pseudonym stay as they are.
pub fn replace(kind: Kind, data: &mut Json<'_>, key: &CampaignKey) -> Result<(), Rejection> {
    match (kind, person_field(kind)) {
        (_, None) => Ok(()),
        (Kind::PrecinctEnrolled, Some(_)) => roll(data, key),
        (_, Some(field)) => person(data, field, key),
    }
}

fn person(data: &mut Json<'_>, field: &str, key: &CampaignKey) -> Result<(), Rejection> {
    let Some(place) = data.field_mut(field) else { return Ok(()) };
    let pointer = format!("/data/{field}");
    if let Some((id, strength)) = made_from(place, key).map_err(|rejection| under(rejection, &pointer))? {
        let strength = Json::Text(Cow::Borrowed(name(strength)));
        *place = Json::Object(vec![(Cow::Borrowed("id"), Json::Text(id.to_string().into())), (Cow::Borrowed("strength"), strength)]);
    } else if place.field("id").is_none() {
        // The contract knows pseudonyms alone; whoever sends has an identifier.
        return Err(Rejection::new(Reason::InvalidPerson, Detail::NamePerson).at(pointer));
    }
    Ok(())
}

fn roll(data: &mut Json<'_>, key: &CampaignKey) -> Result<(), Rejection> {
    let stated = data.field("strength").and_then(Json::text).unwrap_or_default().to_owned();
    let Some(Json::List(voters)) = data.field_mut("voters") else { return Ok(()) };
    for (index, voter) in voters.iter_mut().enumerate() {
        let Json::List(parts) = voter else { continue };
        let Some(place) = parts.first_mut() else { continue };
        let Some((id, strength)) = made_from(place, key).map_err(|rejection| under(rejection, &format!("/data/voters/{index}/0")))? else {
            continue;
        };
        if name(strength) != stated {
            let detail = if stated == "strong" { Detail::RollStrong } else { Detail::RollWeak };
            return Err(Rejection::new(Reason::InvalidPerson, detail).at(format!("/data/voters/{index}/0")));
        }
        *place = Json::Text(id.to_string().into());
    }
    Ok(())
}

const fn name(strength: Strength) -> &'static str {
    match strength {
        Strength::Strong => "strong",
        Strength::Weak => "weak",
    }
}

fn under(rejection: Rejection, prefix: &str) -> Rejection {
    let below = rejection.pointer.clone().unwrap_or_default();
    rejection.at(format!("{prefix}{below}"))
}

/// The pseudonym of a person named by a raw identifier; none for one named in another way, which the contract judges.
fn made_from(person: &Json<'_>, key: &CampaignKey) -> Result<Option<(Pseudonym, Strength)>, Rejection> {
    let (iin, phone) = (person.field("iin"), person.field("phone"));
    let (place, raw) = match (iin, phone) {
        (None, None) => return Ok(None),
        (Some(raw), None) => ("/iin", raw),
        (None, Some(raw)) => ("/phone", raw),
        (Some(_), Some(_)) => return Err(Rejection::new(Reason::InvalidPerson, Detail::OneIdentifier)),
    };
    if matches!(person, Json::Object(fields) if fields.len() > 1) {
        return Err(Rejection::new(Reason::InvalidPerson, Detail::IdentifierAlone));
    }
    let text = raw.text().ok_or_else(|| Rejection::new(Reason::InvalidPerson, Detail::IdentifierQuotes).at(place))?;
    let made = if iin.is_some() {
        (key.of_iin(&Iin::read(text).map_err(|rejection| rejection.at(place))?), Strength::Strong)
    } else {
        (key.of_phone(&Phone::read(text).map_err(|rejection| rejection.at(place))?), Strength::Weak)
    };
    Ok(Some(made))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(kind: Kind, json: &str) -> Result<String, Rejection> {
        let mut data: Json<'_> = serde_json::from_str(json).unwrap();
        replace(kind, &mut data, &CampaignKey::new(vec![7; 32]))?;
        Ok(String::from_utf8(data.canonical()).unwrap())
    }

    #[test]
    fn a_person_becomes_letters_and_two_spellings_the_same_ones() {
        let one = replaced(Kind::AttendanceRecorded, r#"{"attendee":{"iin":"850615101233"}}"#).unwrap();
        let two = replaced(Kind::AttendanceRecorded, r#"{"attendee":{"iin":" ８５０６１５-101 233"}}"#).unwrap();
        assert_eq!(one, two);
        // HMAC-SHA-256 with 32 bytes of 7 over "qamtu:v1|iin|850615101233", computed by another program.
        assert_eq!(one, r#"{"attendee":{"id":"ogeghindkibhfbmeifomahcpejfikinl","strength":"strong"}}"#);
        let phone = replaced(Kind::ConsentGiven, r#"{"person":{"phone":"8 (701) 123-45-67"}}"#).unwrap();
        assert_eq!(phone, replaced(Kind::ConsentGiven, r#"{"person":{"phone":"+77011234567"}}"#).unwrap());
        assert!(phone.contains("weak"));
    }

    #[test]
    fn a_roll_is_replaced_line_by_line() {
        let roll = r#"{"strength":"strong","voters":[[{"iin":"850615101233"},1985,"m"],["abcdefghijklmnopabcdefghijklmnop",0,"u"]]}"#;
        let stored = replaced(Kind::PrecinctEnrolled, roll).unwrap();
        assert!(!stored.contains("iin") && stored.contains("abcdefghijklmnopabcdefghijklmnop"));
        let refused = replaced(Kind::PrecinctEnrolled, &roll.replace("101233", "101234")).unwrap_err();
        assert_eq!((refused.reason, refused.pointer.as_deref()), (Reason::InvalidIin, Some("/data/voters/0/0/iin")));
        let refused = replaced(Kind::PrecinctEnrolled, &roll.replace("strong", "weak")).unwrap_err();
        assert_eq!(refused.reason, Reason::InvalidPerson);
    }

    #[test]
    fn wrong_persons_are_refused_without_being_shown() {
        for (person, reason) in [
            (r#"{"iin":"850615101234"}"#, Reason::InvalidIin),
            (r#"{"iin":850615101233}"#, Reason::InvalidPerson),
            (r#"{"iin":"850615101233","phone":"+77011234567"}"#, Reason::InvalidPerson),
            (r#"{"iin":"850615101233","strength":"strong"}"#, Reason::InvalidPerson),
            (r#"{"phone":"850615101233"}"#, Reason::InvalidPhone),
        ] {
            let refused = replaced(Kind::AttendanceRecorded, &format!(r#"{{"attendee":{person}}}"#)).unwrap_err();
            assert_eq!(refused.reason, reason);
            assert!(!format!("{refused:?}").contains("85061510"));
        }
    }
}
