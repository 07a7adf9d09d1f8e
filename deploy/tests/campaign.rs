//! Campaign files: the shipped one is valid, every error gives its line, and equal files give equal events.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what helps a test fails with it")]

use qamtu::campaign::{Campaign, TURKISTAN_2026};
use qamtu_schemas::Kind;

fn parse(text: &str) -> Result<Campaign, String> {
    Campaign::parse(text, std::path::Path::new("c.toml")).map_err(|error| error.to_string())
}

/// The error of the shipped file after one text is replaced.
fn error_after_replacing(from: &str, to: &str) -> String {
    assert!(TURKISTAN_2026.contains(from), "the shipped file has no {from:?}");
    parse(&TURKISTAN_2026.replacen(from, to, 1)).err().unwrap_or_else(|| panic!("{to:?} was accepted"))
}

/// The line of the first occurrence of a text.
fn line(text: &str) -> usize {
    TURKISTAN_2026[..TURKISTAN_2026.find(text).unwrap()].matches('\n').count() + 1
}

#[test]
fn the_shipped_campaign_is_complete() {
    let campaign = parse(TURKISTAN_2026).unwrap();
    assert_eq!((campaign.units.len(), campaign.coalitions.len(), campaign.parties.len(), campaign.plan.meetings), (17, 18, 5, 1_959));
    let sizes: Vec<_> = campaign.units.iter().filter_map(|unit| unit.synthetic).collect();
    assert_eq!(sizes.iter().map(|size| size.voters).sum::<u32>(), 1_195_000);
    assert_eq!(sizes.iter().map(|size| size.precincts).sum::<u32>(), 947);
    assert_eq!(sizes.iter().map(|size| size.members).sum::<u32>() + campaign.synthetic.as_ref().unwrap().regional_members, 457);
    assert_eq!(campaign.revealing().len(), 3);
}

#[test]
fn the_smallest_campaign_is_valid_and_not_synthetic() {
    let campaign = parse(include_str!("../campaigns/smallest.toml")).unwrap();
    assert_eq!((campaign.units.len(), campaign.coalitions.len()), (1, 1));
    assert!(qamtu::synthetic::generate(&campaign, 1).is_none());
    for submission in campaign.submissions(None) {
        let value = serde_json::to_vec(&submission.data).unwrap();
        qamtu_schemas::decode::payload(submission.kind(), &value, "/data").unwrap();
    }
}

#[test]
fn equal_files_give_equal_events_and_a_revision_gives_new_ones() {
    let ids = |text: &str| parse(text).unwrap().submissions(None).into_iter().map(|event| event.id).collect::<Vec<_>>();
    let first = ids(TURKISTAN_2026);
    assert_eq!(first, ids(TURKISTAN_2026));
    assert_eq!(first.len(), 1 + 17 + 18);
    let second = ids(&TURKISTAN_2026.replace("revision = 1", "revision = 2"));
    assert!(first.iter().all(|id| !second.contains(id)), "a revision keeps ids");
    let kinds: Vec<Kind> = parse(TURKISTAN_2026).unwrap().submissions(None).iter().map(|event| event.kind().kind).collect();
    assert_eq!((kinds[0], kinds[1], kinds[18]), (Kind::CampaignConfigured, Kind::UnitDefined, Kind::CoalitionFormed));
}

#[test]
fn every_submission_is_a_valid_event() {
    for submission in parse(TURKISTAN_2026).unwrap().submissions(None) {
        let value = serde_json::to_vec(&submission.data).unwrap();
        qamtu_schemas::decode::payload(submission.kind(), &value, "/data").unwrap();
    }
}

#[test]
fn mistakes_name_their_line_and_how_to_fix_it() {
    let opens = line("opens = ");
    assert!(
        error_after_replacing("opens = \"2026-02-12\"", "opened = \"2026-02-12\"")
            .starts_with(&format!("c.toml:{opens}: calendar.opened: unknown field `opened`"))
    );
    assert!(error_after_replacing("opens = \"2026-02-12\"", "opens = \"2026-02-32\"").starts_with(&format!("c.toml:{opens}: ")));
    let closes = line("closes = ");
    assert_eq!(
        error_after_replacing("closes = \"2026-03-13\"", "closes = \"2026-03-14\""),
        format!("c.toml:{}: silence must be after closes", closes + 1)
    );
    assert_eq!(
        error_after_replacing("Asia/Almaty", "Asia/Turkistan"),
        format!("c.toml:{}: write an IANA time zone such as Asia/Almaty", line("time_zone = "))
    );
    let unit = line("unit = \"SHA\"");
    assert_eq!(
        error_after_replacing("unit = \"SHA\"", "unit = \"SHY\""),
        format!("c.toml:{unit}: coalition SHA names a unit that is not under [[units]]")
    );
    assert!(error_after_replacing("code = \"ARY\"", "code = \"TRK\"").ends_with(": TRK stands twice under [[units]]; remove one"));
    assert!(error_after_replacing("code = \"ARY\"", "code = \"A RY\"").starts_with(&format!("c.toml:{}: ", line("code = \"ARY\""))));
    assert!(error_after_replacing("kato = \"611600000\"", "kato = \"6116\"").contains("KATO"));
    assert_eq!(
        error_after_replacing("kind = \"city\"", "kind = \"town\""),
        format!("c.toml:{}: units[0].kind: unknown variant `town`, expected `city` or `district`", line("kind = \"city\""))
    );
    assert!(error_after_replacing("meetings = 1959", "meetings = 1960").ends_with("the units plan 1959 meetings together"));
    assert!(
        error_after_replacing("voters = 45941", "voters = 945941").contains("unit ARY needs members, and 60 to 3000 voters per precinct")
    );
    assert!(error_after_replacing("amanat = 45", "amanaat = 45").contains("amanaat is not under [[parties]]"));
    assert!(error_after_replacing("format = \"HALL\"", "format = \"HAL\"").contains("HAL is not under [[formats]]"));
    assert!(error_after_replacing("\n[calendar]", "\n[calendar").starts_with("c.toml:"));
}

#[test]
fn another_campaign_needs_no_code() {
    let small = include_str!("small.toml");
    let campaign = parse(small).unwrap();
    let generated = qamtu::synthetic::generate(&campaign, 1).unwrap();
    assert_eq!(generated.oracle.figures["counts"]["voters"], 9_000);
    assert_eq!(generated.oracle.figures["counts"]["meetings_planned"], 30);
    assert!(generated.oracle.figures["audience"]["reached"].as_u64() > Some(200));
    let real = parse(&small[..small.find("[synthetic]").unwrap()].replace("synthetic = {", "#")).unwrap();
    assert!(qamtu::synthetic::generate(&real, 1).is_none(), "a campaign without [synthetic] was generated");
}
