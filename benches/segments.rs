//! How long a preview of five conditions takes on 1,000,000 profiles, the sample's households many times over: with the
//! columns read from disk, and with the people in memory; and what a hostile megabyte takes to be refused.
//!
//! `cargo bench --bench segments`, or `-- COPIES` for another number of copies of the 865 households (1,157 unless said).
//! `-- COPIES --directory DIR` keeps the workspace there, or takes the one that is there; `--json` tells the runs of the two
//! kinds of preview and nothing else, for `benches/preview`.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant as Clock;

use criterion::Criterion;
use polars::prelude::*;
use smartpush::config::Config;
use smartpush::domain::time::Instant;
use smartpush::domain::zone::Zone;
use smartpush::events::ingest::ingest;
use smartpush::events::lake::Lake;
use smartpush::events::mapping::Renames;
use smartpush::events::request::{FilesRequest, InputKind};
use smartpush::files::tables::{self, TableError};
use smartpush::files::workspace::Workspace;
use smartpush::profiles::build::build;
use smartpush::profiles::declared::Declared;
use smartpush::segments::language::compile::Circumstances;
use smartpush::segments::language::compile_text;
use smartpush::segments::language::fields::FieldCatalogue;
use smartpush::segments::language::keys::needs;
use smartpush::segments::people::People;
use smartpush::segments::people::attributes::attribute_types;
use smartpush::segments::people::frame::members;
use smartpush::segments::people::row::is_member;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AS_OF: Instant = Instant::from_micros(1_514_764_800_000_000);
const TEXT: &str = "purchases_30d >= 2 and interest(\"GROCERY\") > 0.2 and last_seen < 14d and not opted_out and lifecycle != \"new\"";
const RUNS: usize = 7;
/// Copies written at a time: their people fill one row group.
const COPIES_AT_ONCE: usize = 151;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let copies = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(1_157);
    let kept = arguments.iter().position(|argument| argument == "--directory");
    let kept = kept.and_then(|place| arguments.get(place + 1)).map(Path::new);
    let temporary = tempfile::TempDir::new()?;
    let directory = kept.unwrap_or(temporary.path());
    let workspace = if directory.join("data/workspace.json").exists() {
        Workspace::open(directory)?
    } else {
        populated(directory, copies)?
    };
    let (zone, catalogue) = (Zone::utc(), FieldCatalogue::new(attribute_types(&workspace)?, Vec::new()));
    let circumstances = Circumstances { catalogue: &catalogue, as_of: AS_OF, zone: &zone };
    let (_, predicate) = compile_text(TEXT, circumstances, None, &|_| None)?;
    let needs = needs(&predicate);
    let people = People::read(&workspace, None, &needs, &zone)?;
    let count = members(&predicate, &people)?.sum().unwrap_or_default();
    let from_disk = || {
        let people = People::read(&workspace, None, &needs, &zone)?;
        Ok(members(&predicate, &people)?.sum().unwrap_or_default())
    };
    let in_memory = || Ok(members(&predicate, &people)?.sum().unwrap_or_default());
    if arguments.iter().any(|argument| argument == "--json") {
        let (cold, warm) = (timed("cold", from_disk)?, timed("warm", in_memory)?);
        let told = serde_json::json!({"people": people.len(), "members": count, "cold": cold, "warm": warm});
        println!("{told}");
        return Ok(());
    }
    println!("{TEXT}\n  {count} of {} people", people.len());
    let mut criterion = Criterion::default().sample_size(10);
    let criterion = &mut criterion;
    measure(criterion, "preview, columns read from disk", from_disk)?;
    measure(criterion, "preview, people in memory", in_memory)?;
    measure(criterion, "one person, looked up by id, in memory", || {
        let row = people.row_of("00500-1379").unwrap_or_default();
        Ok(u32::from(is_member(&predicate, &people.person(row))?))
    })?;
    let hostile = [
        ("a".repeat(1 << 20), "a megabyte"),
        ("(".repeat(10_000), "ten thousand levels"),
        ("vip and ".repeat(8_000), "64 KB"),
    ];
    for (text, name) in hostile {
        let is_refused = || Ok(u32::from(compile_text(&text, circumstances, None, &|_| None).is_err()));
        measure(criterion, &format!("refused: {name}"), is_refused)?;
    }
    Ok(())
}

/// Measures runs that each must give the same figure.
fn measure(criterion: &mut Criterion, name: &str, run: impl Fn() -> Outcome<u32>) -> Outcome<()> {
    let first = run()?;
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| assert_eq!(run().ok(), Some(first), "{name}"));
    });
    Ok(())
}

/// Seconds of some runs after a first one; each must give the same figure.
fn timed(name: &str, run: impl Fn() -> Outcome<u32>) -> Outcome<Vec<f64>> {
    let first = run()?;
    let mut seconds = Vec::new();
    for _ in 0..RUNS {
        let start = Clock::now();
        assert_eq!(run()?, first, "{name}");
        seconds.push(start.elapsed().as_secs_f64());
    }
    Ok(seconds)
}

/// A workspace of the sample's households, many times over.
fn populated(directory: &Path, copies: usize) -> Outcome<Workspace> {
    let workspace = Workspace::create(directory)?;
    prepare(&workspace)?;
    multiply(&workspace, copies)?;
    Ok(workspace)
}

fn prepare(workspace: &Workspace) -> Outcome<()> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample");
    let (config, zone) = (Config::defaults(), Zone::find("America/New_York")?);
    let files = [
        (InputKind::Users, "users.csv"),
        (InputKind::Contents, "contents.jsonl"),
        (InputKind::Events, "purchases.parquet"),
    ];
    for (kind, file) in files {
        let (files, renames) = (&[sample.join(file)][..], Renames::default());
        let request =
            FilesRequest { files, kind, format: None, renames, zone: Some(zone.clone()), now: AS_OF };
        ingest(workspace, &config.ingest, &request, &|_| ())?;
    }
    let (lake, declared) = (Lake::open(workspace)?, Declared::read(workspace, &config.default_time_zone)?);
    build(workspace, &lake, &declared, AS_OF, &config.profiles, &|_, _| ())?;
    Ok(())
}

/// Puts many copies of each household in place of it, in the profiles and among the declared users.
fn multiply(workspace: &Workspace, copies: usize) -> Outcome<()> {
    let directory = workspace.profiles_as_of(AS_OF);
    let rows = multiply_table(&directory.join("profiles.parquet"), copies)?;
    multiply_table(&workspace.table("users"), copies)?;
    let path = directory.join("_manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    manifest["rows"] = rows.into();
    fs::write(&path, manifest.to_string())?;
    Ok(())
}

fn multiply_table(path: &Path, copies: usize) -> Outcome<u64> {
    let one = tables::read_parquet(path, None)?;
    let ids = one.column("user_id")?.str()?.clone();
    let copy = |number: usize| -> PolarsResult<DataFrame> {
        let named = ids.iter().flatten().map(|id| format!("{number:05}-{id}"));
        let mut copy = one.clone();
        copy.with_column(StringChunked::from_iter_values("user_id".into(), named).into_column())?;
        Ok(copy)
    };
    let mut starts = (0..copies).step_by(COPIES_AT_ONCE);
    let mut next = || {
        let Some(start) = starts.next() else { return Ok(None) };
        let mut many = copy(start)?;
        for number in start + 1..copies.min(start + COPIES_AT_ONCE) {
            many.vstack_mut(&copy(number)?)?;
        }
        Ok(Some(many))
    };
    tables::write_table(path, || next().map_err(TableError::parquet(path)))
        .map_err(|error: TableError| error.into())
}
