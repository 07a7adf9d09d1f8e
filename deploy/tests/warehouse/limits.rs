//! The memory limit of a warehouse.

use qamtu_devstack::{
    DevstackError,
    warehouse::{Role, Warehouse},
};

use crate::support::{admin, ask, memory_mb, options, until};

/// Queries that need gigabytes of memory and cannot spill to disk: a distinct count, one large array.
const GREEDY: [&str; 2] =
    ["SELECT uniqExact(number) FROM numbers(200000000)", "SELECT groupArray(number) FROM numbers(1000000000) FORMAT Null"];
/// Queries that may spill to disk, so that their refusal depends on concurrent queries: a large hash table, a large sort.
const SPILLING: [&str; 2] = [
    "SELECT number, count() FROM numbers(100000000) GROUP BY number FORMAT Null",
    "SELECT number FROM numbers(200000000) ORDER BY cityHash64(number) FORMAT Null",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_query_over_the_cap_is_refused_and_the_process_stays_within_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut small = options(dir.path());
    small.memory_max_mb = 800;
    let warehouse = std::sync::Arc::new(Warehouse::start(small).await.unwrap());
    let pid = warehouse.pid().unwrap();

    for role in [Role::Admin, Role::Analytics] {
        let together: Vec<_> = GREEDY
            .into_iter()
            .chain(SPILLING)
            .map(|query| {
                let warehouse = std::sync::Arc::clone(&warehouse);
                tokio::spawn(async move { (query, ask(&warehouse, role, query).await) })
            })
            .collect();
        for query in together {
            let (query, answer) = query.await.unwrap();
            if SPILLING.contains(&query) && answer.is_ok() {
                continue;
            }
            let error = answer.expect_err(query);
            assert!(error.contains("Code: 241") && error.contains("memory limit exceeded"), "{query}: {error}");
        }
    }
    let most = memory_mb(pid, "VmHWM");
    println!("most memory under an 800 MB cap: {most} MB");
    assert!(most <= 800, "the process took {most} MB");
    assert_eq!(admin(&warehouse, "SELECT 1").await, "1");
    // The memory of refused queries is released.
    until("memory is given back", || memory_mb(pid, "VmRSS") < 400).await;
}

#[tokio::test]
async fn too_little_memory_is_refused_before_anything_starts() {
    let dir = tempfile::tempdir().unwrap();
    let mut tiny = options(dir.path());
    tiny.memory_max_mb = 100;
    let error = Warehouse::start(tiny).await.unwrap_err();
    assert!(matches!(error, DevstackError::Configuration { name: "memory_max_mb", .. }), "{error}");
    assert!(error.to_string().contains("give at least 700"), "{error}");
}
