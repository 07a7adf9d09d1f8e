//! Which numbers are found, which texts pass, and that every text and code of every event type is searched.

use proptest::prelude::*;
use qamtu_schemas::{decode, testing};
use serde_json::Value;

use super::*;

#[test]
fn national_ids_are_found_in_every_notation() {
    for text in [
        "850615101233",
        "850615,101233",
        "8506,1510,1233",
        "850615_101233",
        "85:06:15:10:12:33",
        "850615+101233",
        "850615  101233",
        "850615-101233",
        "850615.101233",
        "(850615) 101233",
        "850615\\101233",
        "850615 — 101233",
        "8 5 0 6 1 5 1 0 1 2 3 3",
        "8,5,0,6,1,5,1,0,1,2,3,3",
        "1850615101233",
        "8506151012334",
        "№ 7850615-101233",
        "a850615101233f",
        "deadbeef850615101233",
        "018f6b1e-7a4c-7d1b-9a51-850615101233",
        "८५०६१५१०१२३३",
        "८५०६१५, ЖСН ८५०६१५-१०१२३३",
        "𝟖𝟓𝟎𝟔𝟏𝟓𝟏𝟎𝟏𝟐𝟑𝟑",
        "⑧⑤⓪⑥①⑤①⓪①②③③",
        "❽❺⓿❻❶❺❶⓿❶❷❸❸",
        "⁸⁵⁰⁶¹⁵¹⁰¹²³³",
        "8\u{FE0F}\u{20E3}5\u{FE0F}\u{20E3}0\u{FE0F}\u{20E3}6\u{FE0F}\u{20E3}1\u{FE0F}\u{20E3}5\u{FE0F}\u{20E3}101233",
        "8\u{301}5\u{301}0\u{301}6\u{301}1\u{301}5\u{301}1\u{301}0\u{301}1\u{301}2\u{301}3\u{301}3\u{301}",
        "850615\u{2063}\u{E0020}101233",
        "13.02.2026, 850615,101233",
        "TRK-850615-101233",
        "17 850615,101233 17",
        "850615№101233",
        "850615 № 101233",
        "850615™101233",
        "850615 ℡ 101233",
        "8ʰ5ʰ0ʰ6ʰ1ʰ5ʰ1ʰ0ʰ1ʰ2ʰ3ʰ3",
        "850615ª101233",
        "850615ʼ101233",
        "850615ـ101233",
        "850615Ⓐ101233",
        "八五〇六一五一〇一二三三",
        "捌伍零陸壹伍壹零壹貳參參",
        "850615-一〇一二三三",
        "㊇㊄〇㊅㊀㊄㊀〇㊀㊁㊂㊂",
        "〨〥〇〦〡〥〡〇〡〢〣〣",
    ] {
        assert_eq!(find(text), Some(PersonalNumber::NationalId), "{text}");
    }
}

#[test]
fn phone_numbers_are_found_in_every_notation() {
    for text in [
        "+7 701 123 45 67",
        "8 701 123-45-67",
        "87011234567",
        "77011234567",
        "7011234567",
        "701 123 45 67",
        "8(701)1234567",
        "+7(7252) 54-12-34",
        "8 725 254 12 34",
        "8 7252 54 12 34",
        "007 701 123 45 67",
        "tel:+77011234567",
        "+7_701_123_45_67",
        "8-701-123-45-67",
        "8.701.123.45.67",
        "Ержан 87011234567",
        "８７０１１２３４５６７",
        "٨٧٠١١٢٣٤٥٦٧",
        "⑧⑦⓪① 123 45 67",
        "8 7 0 1 1 2 3 4 5 6 7",
        "87\u{200B}01123\u{200B}4567",
        "зал, 17 орын, 8 747 123 45 67",
        "+7 70 11 23 45 67",
        "+7 7 01 123 45 67",
        "+7-7-01-123-45-67",
        "8 7 01 123 45 67",
        "8 7 0 1 123 45 67",
        "8 7 0 1 1234567",
        "7 70 1 123 4567",
        "87 01 12 34 567",
        "8 (7 01) 123-45-67",
        "8-7-01-123-45-67",
        "17 орын, 8 7 01 123 45 67",
        "8 701 № 123 45 67",
        "8 701ʰ123ʰ45ʰ67",
        "八七〇一一二三四五六七",
        "+七 七〇一 123 45 67",
    ] {
        assert_eq!(find(text), Some(PersonalNumber::Phone), "{text}");
    }
}

#[test]
fn texts_and_codes_of_real_life_are_left_alone() {
    for text in [
        // Dates and times.
        "13.02.2026 15:00–16:30, зал на 120 мест",
        "2026-02-13 15:00:27",
        "2026-02-13T15:00:27+05:00",
        "12.03.2026-15.03.2026",
        "с 12.03 по 15.03.2026, 15.00-17.00, 18.00-19.30",
        "13/02/2026 15.00",
        "7.2.2026, 10:30",
        "8.7.2026 10.30",
        "07.02.2026 15:00, 08.02.2026 16:00, 10.02.2026 11:00",
        "2026 жылғы 13 ақпан, сағат 15.00",
        // Extensions and short numbers of offices.
        "Әкімдіктің мәжіліс залы, ішкі тел. 305",
        "ішкі № 305, № 306, № 1107",
        "тел. № 4-12-34 / 4-12-35",
        "тел. 7-12-34 / 7-12-35",
        "☎ 54-12-34 (вн. № 305)",
        "℡ 4-12-34, ℡ 4-12-35",
        "Актовый зал акимата, тел. 4-12-34, вн. 305",
        "каб. 215, вн. 1105, 1106, 1107",
        "тел. 54-12-34, 54-12-35",
        "ЦОН, 1414 немесе 8-800-080-7777",
        "вн. 12-34, 12-35, 12-36",
        // Decrees and other documents.
        "Закон РК от 23 февраля 2024 года № 64-VIII ЗРК",
        "Приказ № 123-НҚ от 05.09.2022",
        "Указ Президента РК от 17.05.2003 № 1096, п. 12.1.3",
        "№ V2300033333 болып тіркелді",
        "постановление № 2300000123",
        "хаттама № 12/2026-15, 17.02.2026",
        "ҚР Конституциясының 33-бабы, 2-тармақ",
        "№ 12-345 қаулы",
        "2026 жылғы 13 ақпандағы № 12-345 қаулы",
        "қаулы № 7/701-VIII, 13.02.2026",
        "13.02.2026 № 12-345 қаулы",
        "постановление от 07.02.2026 № 701123",
        "приказы № 7 № 701 № 702 от 8.7.2026 № 12",
        "№ 12/345 от 13.02.2026 и № 12/346 от 14.02.2026",
        "ҚР Үкіметінің 2003 ж. 17.05. № 1096 қаулысы",
        "№№ 101, 102, 103; № 104–108",
        // Lists and amounts.
        "учаскелер 101, 102, 103, 104, 105, 106, 107, 108, 109, 110",
        "учаскелер 212 213 214 215 216 217",
        "701, 702, 703, 704, 705, 706",
        "120/85/14/7",
        "учаскелер 7 12 145 1234 1235",
        "учаскелер 7 71 72 75 76 101",
        "уч. № 70 № 112 № 345 № 67",
        "7 × 12 м², 14 м³, t 18 ℃, 120 ㎡",
        "7 701 234 567 теңге",
        "77 012 345 678 теңге",
        "1 195 000 сайлаушы, 457 мүше, 1 959 кездесу",
        // Addresses and coordinates.
        "161200, Түркістан обл., Кентау қ., Абай к-сі 12/3",
        "43.301712, 68.270833",
        "KZ86125KZT5004100100",
        // Codes that programs make.
        "TRK-2026-0213-0042",
        "TRK-2026-0213-0042-01",
        "TRK-0042-S1",
        "2026-02-a",
        "260213-000042",
        "M-20260213150027",
        "M-20260213150027123",
        "20260213T150027Z",
        "1771000000123",
        "018f6b1e-7a4c-7d1b-9a51-012345678901",
        "import/018f6b1e-7a4c-7d1b-9a51-0c2f4f6e8a10",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "Ә ғ қ ң ө ұ ү һ і",
        "",
    ] {
        assert_eq!(find(text), None, "{text}");
    }
}

/// JSON pointers of all texts in a value.
fn texts(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(at.to_owned()),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, item)| texts(item, &format!("{at}/{index}"), found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| texts(value, &format!("{at}/{name}"), found)),
        _ => {}
    }
}

#[test]
fn every_text_and_code_of_every_event_type_is_searched() {
    let (mut searched, mut typed) = (0, 0);
    for example in testing::examples().unwrap() {
        let data = serde_json::from_slice::<Value>(&example.bytes).unwrap()["data"].take();
        let mut found = Vec::new();
        texts(&data, "", &mut found);
        for (pointer, number) in found.iter().flat_map(|pointer| [(pointer, "850615-101233"), (pointer, "8-701-123-45-67")]) {
            let mut changed = data.clone();
            *changed.pointer_mut(pointer).unwrap() = number.into();
            let text = changed.to_string();
            // Values that the contract refuses, such as an invalid UUID, need no search.
            if decode::payload(example.kind, text.as_bytes(), "").is_err() {
                typed += 1;
                continue;
            }
            let refused = check(&serde_json::from_str(&text).unwrap(), "/data").unwrap_err();
            assert_eq!(refused.pointer, Some(format!("/data{pointer}")), "{}", example.path.display());
            searched += 1;
        }
    }
    assert!(searched > 200 && typed > 50, "{searched} searched, {typed} typed");
}

#[test]
fn contract_examples_contain_no_personal_number() {
    for example in testing::examples().unwrap() {
        let data = serde_json::from_slice::<Value>(&example.bytes).unwrap()["data"].take().to_string();
        assert_eq!(check(&serde_json::from_str(&data).unwrap(), "/data"), Ok(()), "{}", example.path.display());
    }
}

proptest! {
    #[test]
    fn the_search_terminates_on_any_text(text in "\\PC{0,300}") {
        let _ = find(&text);
    }

    #[test]
    fn separators_hide_no_national_id(at in 1..12_usize, gap in "[ .,:;_+/\\\\|*#~='\"()-]{1,3}") {
        prop_assume!(!(gap.contains([',', ';']) && gap.contains(' ')));
        let text = format!("{}{gap}{}", &"850615101233"[..at], &"850615101233"[at..]);
        prop_assert_eq!(find(&text), Some(PersonalNumber::NationalId), "{}", text);
    }
}
