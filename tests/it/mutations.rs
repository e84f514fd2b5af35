//! Data that went wrong, each stopped by name: a month of the sample, mutated as pipelines mutate it, and what stops it.

mod month;
mod stopped;
mod table;

use stopped::stopped_by;
use table::{MUTATIONS, Mutation};

#[test]
fn the_month_as_it_is_passes_every_check() {
    assert_eq!(stopped_by(&month::events().to_csv(), "events.csv"), Vec::<String>::new());
}

#[test]
fn what_only_looks_wrong_passes_too() {
    for (what, bytes) in table::harmless() {
        assert_eq!(stopped_by(&bytes, "events.csv"), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn every_mutation_is_stopped_by_its_name() {
    assert!(MUTATIONS.len() >= 30, "{} mutations", MUTATIONS.len());
    let fault = |mutation: &Mutation| {
        let (bytes, file) = mutation.bytes();
        let names = stopped_by(&bytes, file);
        let is_stopped = names.iter().any(|name| name == mutation.stopped_by);
        (!is_stopped).then(|| format!("{}: {names:?} instead of {}", mutation.what, mutation.stopped_by))
    };
    let faults: Vec<String> = MUTATIONS.iter().filter_map(fault).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
