//! The page: renders a [`Statement`] as HTML without scripts.
//!
//! Guarantees: maud escapes every text; nothing is inlined that the content security policy forbids (no script, no style attribute); every
//! figure of a chart is in the page as text, too.

use maud::{DOCTYPE, Markup, html};

use qamtu_schemas::id::CampaignId;

use super::{
    RefreshStatus, assets, charts,
    tables::{self, Sorting, figure},
};
use crate::{
    locale::Language,
    statement::{Card, DataGaps, Definitions, Headline, Statement, TileMap, Trust},
    translations::Translations,
};

/// Title, language and navigation of an HTML document.
pub struct Layout<'a> {
    /// Title of the document.
    pub title: &'a str,
    /// Translations in the language of the document.
    pub translations: &'static Translations,
    /// Query of the links to other languages; none if there are no such links.
    pub languages: Option<String>,
}

/// Renders a statement, with a notice if there are no newer figures.
pub fn page(statement: &Statement, sorting: &Sorting, status: &RefreshStatus) -> Markup {
    let translations = Translations::of(statement.language);
    let title = translations.message_with("page-title", &[("campaign", statement.campaign.clone().into())]);
    document(
        &Layout { title: &title, translations, languages: Some(sorting.query(&statement.units)) },
        html! {
            main #figures {
                (cover(statement))
                @if let Some(quiet) = &statement.quiet { p.notice role="status" { (quiet) } }
                @match status {
                    RefreshStatus::WarehouseUnavailable => { p.notice role="status" { (translations.message("page-stale")) } }
                    RefreshStatus::AccessDenied => { p.notice role="status" { (translations.message("page-denied")) } }
                    RefreshStatus::HeldBack => { p.notice role="status" { (translations.message("page-held-back")) } }
                    RefreshStatus::UpToDate | RefreshStatus::UnknownCampaign(_) => {}
                }
                (headline(&statement.headline))
                (gaps(&statement.gaps))
                (cards(&statement.cards))
                (where_and_when(statement))
                @if !statement.units.rows.is_empty() { (tables::sortable(&statement.units, sorting, translations)) }
                (groups(statement))
                (trust(&statement.trust))
                (definitions(&statement.definitions))
            }
            footer {
                p.actions {
                    a.action href={ "/report/" (statement.language) ".pdf" } { (translations.message("page-pdf")) }
                    a.action href="/coverage.csv?delimiter=semicolon" { (translations.message("page-csv-spreadsheet")) }
                    a.action href="/coverage.csv" { (translations.message("page-csv")) }
                }
                p { (translations.message("page-private")) }
                p.trace { (statement.foot) }
            }
        },
    )
}

/// Map and weeks: side by side if there are few weeks, else below each other.
fn where_and_when(statement: &Statement) -> Markup {
    let weeks = statement.weeks.as_ref();
    let beside = statement.map.is_some() && weeks.is_some_and(|weeks| !weeks.crowded);
    html! {
        div.pair[beside] {
            @if let Some(map) = &statement.map { (self::map(map)) }
            @if let Some(weeks) = weeks { (charts::weeks(weeks)) }
        }
    }
}

/// Tables of coalitions and categories, side by side if there are both.
fn groups(statement: &Statement) -> Markup {
    html! {
        div.pair[statement.coalitions.is_some() && statement.categories.is_some()] {
            @if let Some(coalitions) = &statement.coalitions { (tables::plain(coalitions, "coalitions")) }
            @if let Some(categories) = &statement.categories { (tables::plain(categories, "categories")) }
        }
    }
}

/// Renders a page without figures, with the reason.
pub fn empty(language: Language, campaign: &CampaignId, status: &RefreshStatus) -> Markup {
    let translations = Translations::of(language);
    let (title, text) = match status {
        RefreshStatus::UpToDate | RefreshStatus::HeldBack => (translations.message("page-empty-title"), translations.message("page-empty")),
        RefreshStatus::WarehouseUnavailable => (translations.message("page-empty-title"), translations.message("page-empty-stale")),
        RefreshStatus::AccessDenied => (translations.message("page-empty-title"), translations.message("page-empty-denied")),
        RefreshStatus::UnknownCampaign(known) => {
            let args = [("campaign", campaign.as_str().into())];
            let known: Vec<&str> = known.iter().map(CampaignId::as_str).collect();
            let next = match known.as_slice() {
                [] => translations.message("page-unknown-none"),
                known => translations.message_with("page-unknown-known", &[("known", known.join(", ").into())]),
            };
            (translations.message_with("page-unknown-title", &args), format!("{} {next}", translations.message("page-unknown")))
        }
    };
    document(&Layout { title: &title, translations, languages: Some(String::new()) }, html! { main.calm { h1 { (title) } p { (text) } } })
}

/// Renders the HTML document around some content.
pub fn document(layout: &Layout<'_>, content: Markup) -> Markup {
    let language = layout.translations.language();
    html! {
        (DOCTYPE)
        html lang=(language) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (layout.title) }
                link rel="icon" href=(assets::address("qamtu.svg")) type="image/svg+xml";
                link rel="stylesheet" href=(assets::address("qamtu.css"));
            }
            body {
                a.skip href="#figures" { (layout.translations.message("page-skip")) }
                header.bar {
                    span.brand { (layout.translations.message("brand")) }
                    @if let Some(query) = &layout.languages {
                        nav aria-label=(layout.translations.message("page-languages")) {
                            @for other in Language::ALL {
                                a href={ "/" (other) (query) } lang=(other) hreflang=(other) aria-current=[(other == language).then_some("page")] {
                                    (Translations::of(other).message("language"))
                                }
                            }
                        }
                    }
                }
                (content)
            }
        }
    }
}

fn cover(statement: &Statement) -> Markup {
    html! {
        div.cover {
            p.kicker { (statement.subject) @if let Some(scope) = &statement.scope { " · " (scope) } }
            h1 { (statement.campaign) }
            p.as-of { (statement.as_of) }
            @if let Some(notice) = &statement.synthetic { p.synthetic { strong { (notice.label) } " " (notice.note) } }
        }
    }
}

fn headline(headline: &Headline) -> Markup {
    html! {
        section.headline aria-labelledby="headline" {
            h2 #headline { (headline.question) }
            div.answer {
                p.count { (figure(&headline.reached)) span.label { (headline.label) } @if let Some(why) = &headline.withheld { span.of { (why) } } span.of { (headline.denominator) } }
                p.share { (figure(&headline.share)) span.label { (headline.share_label) } }
            }
            @if let Some(range) = &headline.range { (charts::range(range)) }
        }
    }
}

/// Missing data: what is missing, why, and what to send.
fn gaps(gaps: &DataGaps) -> Markup {
    html! {
        @if !gaps.list.is_empty() {
            section.gaps aria-labelledby="gaps" {
                h2 #gaps { (gaps.title) }
                ul { @for gap in &gaps.list { li { strong { (gap.reason) } " " (gap.action) } } }
            }
        }
    }
}

fn cards(cards: &[Card]) -> Markup {
    html! {
        section.cards {
            @for card in cards {
                article { h2 { (card.question) } p.figure { (figure(&card.figure)) } p.detail { (card.detail) } }
            }
        }
    }
}

/// A layout table of tiles; each tile links to its row in the table of units.
fn map(map: &TileMap) -> Markup {
    let at = |row: u8, column: u8| map.tiles.iter().find(|tile| (tile.row, tile.column) == (row, column));
    html! {
        section.map aria-labelledby="map" {
            h2 #map { (map.title) }
            @for note in &map.notes { p.note { (note) } }
            table.tiles role="presentation" {
                @for row in 0..map.rows {
                    tr {
                        @for column in 0..map.columns {
                            td {
                                @if let Some(tile) = at(row, column) {
                                    a class={ "tile " (tile.shade.name()) } href={ "#unit-" (tile.unit) } title=(tile.sentence) {
                                        span.name { (tile.name) } " " span.value { (figure(&tile.figure)) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            ul.legend {
                @for step in &map.legend { li { span class={ "swatch " (step.shade.name()) } {} (step.text) } }
            }
        }
    }
}

fn trust(trust: &Trust) -> Markup {
    html! {
        section.trust aria-labelledby="trust" {
            h2 #trust { (trust.title) }
            dl {
                @for row in &trust.rows {
                    div.act[row.act] { dt { (row.label) } dd.figure { (figure(&row.figure)) } dd.detail { (row.detail) } }
                }
            }
        }
    }
}

fn definitions(definitions: &Definitions) -> Markup {
    html! {
        section.definitions aria-labelledby="definitions" {
            h2 #definitions { (definitions.title) }
            dl {
                @for definition in &definitions.list {
                    div { dt { (definition.term) } dd.formula { (definition.formula) } dd { (definition.text) } }
                }
            }
        }
    }
}
