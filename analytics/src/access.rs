//! Authorization: one matrix of routes and roles.
//!
//! Guarantees: the router is built from [`MATRIX`], so every route has a rule, and a role that the rule does not list is refused before
//! anything is read. [`crate::cell`] decides from the same [`Reader`] which person counts are shown. There is no login yet: the reader of
//! a listener comes from the configuration.

use std::collections::BTreeSet;

use qamtu_schemas::id::UnitCode;
use serde::{Deserialize, Serialize};

/// Role of a reader; decides about routes and about the threshold for small counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Anybody who can reach the listener: health only.
    Public,
    /// Leads a coalition: figures, with small person counts withheld below ten.
    Leader,
    /// Works with the figures: small person counts withheld below five.
    Analyst,
    /// Runs the service: its health and metrics, no figures.
    Operator,
}

impl Role {
    /// Every role, the one with the fewest rights first.
    pub const ALL: [Self; 4] = [Self::Public, Self::Leader, Self::Analyst, Self::Operator];

    /// Its name, as in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Leader => "leader",
            Self::Analyst => "analyst",
            Self::Operator => "operator",
        }
    }
}

/// What part of a campaign a reader sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The whole campaign, without restriction.
    Region,
    /// These units alone: their meetings, their residents, their coalitions.
    Units(BTreeSet<UnitCode>),
}

impl Scope {
    /// Whether a unit lies in it.
    pub fn has(&self, unit: &UnitCode) -> bool {
        match self {
            Self::Region => true,
            Self::Units(units) => units.contains(unit),
        }
    }
}

/// The caller of a route: role and scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reader {
    /// Decides which routes are open and which threshold applies to small counts.
    pub role: Role,
    /// Units whose figures are shown.
    pub scope: Scope,
}

impl Reader {
    /// A reader of the whole region.
    pub fn of_region(role: Role) -> Self {
        Self { role, scope: Scope::Region }
    }

    /// The reader of the internal listener.
    pub fn operator() -> Self {
        Self { role: Role::Operator, scope: Scope::Units(BTreeSet::new()) }
    }
}

/// The reader of the listener for people, as configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReaderConfig {
    /// Role; a leader unless stated otherwise.
    pub role: Role,
    /// Units in scope; none means the whole region.
    pub units: BTreeSet<UnitCode>,
}

impl Default for ReaderConfig {
    fn default() -> Self {
        Self { role: Role::Leader, units: BTreeSet::new() }
    }
}

impl From<&ReaderConfig> for Reader {
    fn from(config: &ReaderConfig) -> Self {
        let scope = if config.units.is_empty() { Scope::Region } else { Scope::Units(config.units.clone()) };
        Self { role: config.role, scope }
    }
}

/// The routes of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route {
    /// Redirects to the page in the language that the browser prefers.
    Entry,
    /// The HTML page of figures in one language.
    Page,
    /// The figures as CSV.
    Csv,
    /// The PDF report in one language.
    Report,
    /// Any slice as JSON or CSV.
    Slices,
    /// The description of the interface for programs.
    OpenApi,
    /// Style sheet, icon and fonts.
    Asset,
    /// Liveness: whether the process runs.
    Live,
    /// Readiness: whether there are figures to show.
    Ready,
    /// Metrics in the Prometheus text format.
    Metrics,
}

/// A rule of the matrix: the roles that may open a path.
#[derive(Debug, Clone, Copy)]
pub struct RouteRule {
    /// The handler that serves it.
    pub route: Route,
    /// Path pattern of the router.
    pub path: &'static str,
    /// An example of the path, for tests that visit every route.
    pub example: &'static str,
    /// Roles that may open it.
    pub roles: &'static [Role],
}

const FIGURES: &[Role] = &[Role::Leader, Role::Analyst];
const ANYBODY: &[Role] = &Role::ALL;

/// The one authorization matrix.
pub const MATRIX: [RouteRule; 10] = [
    RouteRule { route: Route::Entry, path: "/", example: "/", roles: FIGURES },
    RouteRule { route: Route::Page, path: "/{language}", example: "/kk", roles: FIGURES },
    RouteRule { route: Route::Csv, path: "/coverage.csv", example: "/coverage.csv", roles: FIGURES },
    RouteRule { route: Route::Report, path: "/report/{file}", example: "/report/kk.pdf", roles: FIGURES },
    RouteRule {
        route: Route::Slices,
        path: "/v1/campaigns/{campaign}/slices",
        example: "/v1/campaigns/turkistan-2026/slices?by=unit",
        roles: FIGURES,
    },
    RouteRule { route: Route::OpenApi, path: "/v1/openapi.json", example: "/v1/openapi.json", roles: FIGURES },
    RouteRule { route: Route::Asset, path: "/assets/{file}", example: "/assets/qamtu.css", roles: ANYBODY },
    RouteRule { route: Route::Live, path: "/live", example: "/live", roles: ANYBODY },
    RouteRule { route: Route::Ready, path: "/ready", example: "/ready", roles: ANYBODY },
    RouteRule { route: Route::Metrics, path: "/metrics", example: "/metrics", roles: &[Role::Operator] },
];
