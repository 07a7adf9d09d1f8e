//! Coverage compared with arithmetic by hand, with an independent naive count, and with a real warehouse.

#![allow(clippy::panic, reason = "what helps a test fails with it")]

#[path = "coverage/audience.rs"]
mod audience;
#[path = "coverage/clickhouse_slices.rs"]
mod clickhouse_slices;
#[path = "coverage/differences.rs"]
mod differences;
#[path = "coverage/equities.rs"]
mod equities;
#[path = "coverage/estimate_comparisons.rs"]
mod estimate_comparisons;
#[path = "coverage/estimates.rs"]
mod estimates;
#[path = "coverage/forecasts.rs"]
mod forecasts;
#[path = "coverage/fulfilment.rs"]
mod fulfilment;
#[path = "coverage/history.rs"]
mod history;
#[path = "coverage/instants.rs"]
mod instants;
#[path = "coverage/missing_reports.rs"]
mod missing_reports;
#[path = "coverage/naive_slices.rs"]
mod naive_slices;
#[path = "coverage/next_meetings.rs"]
mod next_meetings;
#[path = "coverage/nobody_eligible.rs"]
mod nobody_eligible;
#[path = "coverage/plausibilities.rs"]
mod plausibilities;
#[path = "coverage/program.rs"]
mod program;
#[path = "coverage/properties.rs"]
mod properties;
#[path = "coverage/published_slices.rs"]
mod published_slices;
#[path = "coverage/random_meetings.rs"]
mod random_meetings;
#[path = "coverage/random_slices.rs"]
mod random_slices;
#[path = "coverage/renewal.rs"]
mod renewal;
#[path = "coverage/residence.rs"]
mod residence;
#[path = "coverage/revealing.rs"]
mod revealing;
#[path = "coverage/saved_store.rs"]
mod saved_store;
#[path = "coverage/slice_files.rs"]
mod slice_files;
#[path = "coverage/slice_program.rs"]
mod slice_program;
#[path = "coverage/slices.rs"]
mod slices;
#[path = "coverage/slices_over_http.rs"]
mod slices_over_http;
#[path = "coverage/snapshots.rs"]
mod snapshots;
#[path = "coverage/stored_records.rs"]
mod stored_records;
#[path = "coverage/stored_totals.rs"]
mod stored_totals;
#[path = "coverage/survey_arithmetic.rs"]
mod survey_arithmetic;
#[path = "coverage/trust.rs"]
mod trust;
#[path = "coverage/two_lists.rs"]
mod two_lists;
#[path = "coverage/unreachable.rs"]
mod unreachable;
#[path = "coverage/verifications.rs"]
mod verifications;
#[path = "coverage/warehouse.rs"]
mod warehouse;
#[path = "coverage/world.rs"]
mod world;
