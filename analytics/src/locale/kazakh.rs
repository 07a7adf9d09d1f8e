//! Case endings of Kazakh words, which depend on the last sound of the word.

/// Ablative ending of a month's name.
pub(super) fn ablative(month: i8) -> &'static str {
    match month {
        // қаңтар, тамыз, қараша; наурыз.
        1 | 3 | 8 | 11 => "дан",
        // сәуір, шілде.
        4 | 7 => "ден",
        // ақпан, қазан, желтоқсан, маусым.
        2 | 6 | 10 | 12 => "нан",
        // қыркүйек ends without voice.
        9 => "тен",
        // мамыр.
        _ => "дан",
    }
}

/// Locative ending of a time, which depends on the last spoken word of its minutes; whole hours are read "нөл-нөл".
pub(super) fn locative(minute: i8) -> &'static str {
    match (minute / 10, minute % 10) {
        // он, жиырма, отыз.
        (1..=3, 0) => "дағы",
        // қырық.
        (4, 0) => "тағы",
        // алты, тоғыз.
        (_, 6 | 9) => "дағы",
        // үш, төрт, бес.
        (_, 3..=5) => "тегі",
        // нөл, бір, екі, жеті, сегіз, елу.
        _ => "дегі",
    }
}
