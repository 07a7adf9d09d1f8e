//! Replaces raw identifiers by pseudonyms in memory, before anything is stored.
//!
//! Guarantees: after [`replace`] no person field of a submission holds a raw identifier; a refusal never shows an invalid one. A pseudonym
//! is the first 128 bits of HMAC-SHA-256 with the campaign's key: without the key it reveals nothing, and pseudonyms of two campaigns
//! cannot be linked. [`keys`] reads the keys, [`identifier`] validates identifiers.

use std::borrow::Cow;

use hmac::{Hmac, KeyInit, Mac};
use qamtu_schemas::{Kind, event::PseudonymStrength, id::Pseudonym};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::Sha256;

use crate::{
    rejection::{Detail, ProblemCode, Rejection},
    submission::json::Json,
};

pub mod identifier;
pub mod keys;

use identifier::{RawIin, RawPhone};
pub use keys::{KeyError, Keys};

/// The HMAC key of one campaign; zeroized when dropped.
#[derive(Debug)]
pub struct CampaignKey(SecretSlice<u8>);

impl CampaignKey {
    /// Smallest length of a key.
    pub const MIN_BYTES: usize = 32;

    /// A key from its raw bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    fn pseudonym(&self, scope: &str, identifier: &str) -> Pseudonym {
        // INVARIANT: HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("a key of any length");
        mac.update(scope.as_bytes());
        mac.update(identifier.as_bytes());
        let digest = mac.finalize().into_bytes();
        let mut prefix = [0; 16];
        prefix.copy_from_slice(&digest[..16]);
        Pseudonym(prefix)
    }

    /// The pseudonym of a national id.
    pub fn of_iin(&self, iin: &RawIin) -> Pseudonym {
        self.pseudonym("qamtu:v1|iin|", iin.digits())
    }

    /// The pseudonym of a phone number.
    pub fn of_phone(&self, phone: &RawPhone) -> Pseudonym {
        self.pseudonym("qamtu:v1|phone|", phone.e164())
    }
}

/// The payload field that names one or more persons; `None` for types without one.
pub const fn person_field(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::AttendanceRecorded => Some("attendee"),
        Kind::ConsentGiven | Kind::ConsentWithdrawn => Some("person"),
        Kind::PrecinctEnrolled => Some("voters"),
        _ => None,
    }
}

/// Replaces every raw identifier of a payload; ready pseudonyms stay as they are.
pub fn replace(kind: Kind, data: &mut Json<'_>, key: &CampaignKey) -> Result<(), Rejection> {
    match (kind, person_field(kind)) {
        (_, None) => Ok(()),
        (Kind::PrecinctEnrolled, Some(_)) => replace_roll(data, key),
        (_, Some(field)) => replace_person(data, field, key),
    }
}

fn replace_person(data: &mut Json<'_>, field: &str, key: &CampaignKey) -> Result<(), Rejection> {
    let Some(slot) = data.field_mut(field) else { return Ok(()) };
    let pointer = format!("/data/{field}");
    if let Some((id, strength)) = pseudonym_of(slot, key).map_err(|rejection| rejection.within(&pointer))? {
        let strength = Json::Text(Cow::Borrowed(strength_name(strength)));
        *slot = Json::Object(vec![(Cow::Borrowed("id"), Json::Text(id.to_string().into())), (Cow::Borrowed("strength"), strength)]);
    } else if slot.field("id").is_none() {
        // The contract would ask for a pseudonym, which senders do not have: ask for an identifier instead.
        return Err(Rejection::new(ProblemCode::InvalidPerson, Detail::NamePerson).at(pointer));
    }
    Ok(())
}

fn replace_roll(data: &mut Json<'_>, key: &CampaignKey) -> Result<(), Rejection> {
    let declared = data.field("strength").and_then(Json::text).unwrap_or_default().to_owned();
    let Some(Json::List(voters)) = data.field_mut("voters") else { return Ok(()) };
    for (index, voter) in voters.iter_mut().enumerate() {
        let Json::List(parts) = voter else { continue };
        let Some(slot) = parts.first_mut() else { continue };
        let Some((id, strength)) = pseudonym_of(slot, key).map_err(|rejection| rejection.within(&format!("/data/voters/{index}/0")))?
        else {
            continue;
        };
        if strength_name(strength) != declared {
            let detail = if declared == "strong" { Detail::RollStrong } else { Detail::RollWeak };
            return Err(Rejection::new(ProblemCode::InvalidPerson, detail).at(format!("/data/voters/{index}/0")));
        }
        *slot = Json::Text(id.to_string().into());
    }
    Ok(())
}

const fn strength_name(strength: PseudonymStrength) -> &'static str {
    match strength {
        PseudonymStrength::Strong => "strong",
        PseudonymStrength::Weak => "weak",
    }
}

/// The pseudonym of a person given by a raw identifier; `None` for any other value, which the contract checks later.
fn pseudonym_of(person: &Json<'_>, key: &CampaignKey) -> Result<Option<(Pseudonym, PseudonymStrength)>, Rejection> {
    let (iin, phone) = (person.field("iin"), person.field("phone"));
    let (pointer, raw) = match (iin, phone) {
        (None, None) => return Ok(None),
        (Some(raw), None) => ("/iin", raw),
        (None, Some(raw)) => ("/phone", raw),
        (Some(_), Some(_)) => return Err(Rejection::new(ProblemCode::InvalidPerson, Detail::OneIdentifier)),
    };
    if matches!(person, Json::Object(fields) if fields.len() > 1) {
        return Err(Rejection::new(ProblemCode::InvalidPerson, Detail::IdentifierAlone));
    }
    let text = raw.text().ok_or_else(|| Rejection::new(ProblemCode::InvalidPerson, Detail::IdentifierQuotes).at(pointer))?;
    let pseudonym = if iin.is_some() {
        (key.of_iin(&RawIin::read(text).map_err(|rejection| rejection.at(pointer))?), PseudonymStrength::Strong)
    } else {
        (key.of_phone(&RawPhone::read(text).map_err(|rejection| rejection.at(pointer))?), PseudonymStrength::Weak)
    };
    Ok(Some(pseudonym))
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
    fn two_spellings_of_an_identifier_have_one_pseudonym() {
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
        assert_eq!((refused.code, refused.pointer.as_deref()), (ProblemCode::InvalidIin, Some("/data/voters/0/0/iin")));
        let refused = replaced(Kind::PrecinctEnrolled, &roll.replace("strong", "weak")).unwrap_err();
        assert_eq!(refused.code, ProblemCode::InvalidPerson);
    }

    #[test]
    fn invalid_persons_are_refused_without_being_shown() {
        for (person, code) in [
            (r#"{"iin":"850615101234"}"#, ProblemCode::InvalidIin),
            (r#"{"iin":850615101233}"#, ProblemCode::InvalidPerson),
            (r#"{"iin":"850615101233","phone":"+77011234567"}"#, ProblemCode::InvalidPerson),
            (r#"{"iin":"850615101233","strength":"strong"}"#, ProblemCode::InvalidPerson),
            (r#"{"phone":"850615101233"}"#, ProblemCode::InvalidPhone),
        ] {
            let refused = replaced(Kind::AttendanceRecorded, &format!(r#"{{"attendee":{person}}}"#)).unwrap_err();
            assert_eq!(refused.code, code);
            assert!(!format!("{refused:?}").contains("85061510"));
        }
    }
}
