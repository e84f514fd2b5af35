//! The path of an event file: open → map → clean → stage → judge → write days → commit.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use serde_json::Value;

use super::clean::{EVENT_FIELDS, EventCleaner};
use super::dead_letters::DeadLetters;
use super::event_names::EventNames;
use super::lake::{Lake, LakeFile};
use super::notes::CellNotes;
use super::reading::IngestSource;
use super::records::{Event, events_of, frame_of};
use super::request::{FilesError, FilesRequest, IngestStage, IngestSummary, InputKind, PendingChange};
use super::staging::{Origin, RecordVerdict, RecordVerdicts, Staging, records_of};
use super::stored::EventColumn;
use super::upsert;
use config::IngestConfig;
use domain::identity::hash_of;
use domain::rejection::{Rejection, RejectionCode};
use domain::time::Day;
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// Takes files into the workspace. The caller holds the workspace's lock.
///
/// # Errors
/// When the workspace cannot be read or written; the lake is then as it was before. A file that cannot be
/// taken is no error here: it is named in [`IngestSummary::refused`], and the others are kept.
pub fn ingest(
    workspace: &Workspace,
    config: &IngestConfig,
    request: &FilesRequest<'_>,
    watch: &impl Fn(IngestStage<'_>),
) -> Result<IngestSummary, FilesError> {
    tables::sweep_temporaries(&workspace.data());
    let mut staging = Staging::create(workspace.staging(), config.staging_memory_mib << 20)?;
    let name = format!("{}-{}.jsonl", request.now.file_name(), request.kind.as_str());
    let mut letters = DeadLetters::new(workspace.rejected().join(name), staging.directory());
    let scratch = staging.directory().to_path_buf();
    let source = IngestSource { config, request, scratch: &scratch };
    let result = take_files(workspace, &source, &mut staging, &mut letters, watch);
    if result.is_err() {
        letters.withdraw();
        sweep(workspace);
    }
    result
}

/// The dead letters come before the commit: a crash between them loses no record, and the files can be taken again.
fn take_files(
    workspace: &Workspace,
    source: &IngestSource<'_>,
    staging: &mut Staging,
    letters: &mut DeadLetters,
    watch: &impl Fn(IngestStage<'_>),
) -> Result<IngestSummary, FilesError> {
    let (mut summary, change) = match source.request.kind {
        InputKind::Events => take_events(workspace, source, staging, letters, watch)?,
        _ => upsert::take_rows(workspace, source, letters, watch)?,
    };
    summary.dead_letters = letters.finish()?;
    match change {
        PendingChange::Nothing => {}
        PendingChange::Days(lake, files) => {
            summary.changed_days = files.iter().filter_map(|file| Day::parse(&file.date)).collect();
            lake.commit(files)?;
        }
        PendingChange::Table(path, mut frame) => {
            tables::write_parquet(&path, &mut frame)?;
            tables::sync_directory(&workspace.data())?;
        }
    }
    Ok(summary)
}

fn take_events(
    workspace: &Workspace,
    source: &IngestSource<'_>,
    staging: &mut Staging,
    letters: &mut DeadLetters,
    watch: &impl Fn(IngestStage<'_>),
) -> Result<(IngestSummary, PendingChange), FilesError> {
    let lake = Lake::open(workspace)?;
    let mut summary = stage_files(source, staging, letters, watch)?;
    if staging.is_empty() {
        return Ok((summary, PendingChange::Nothing));
    }
    watch(IngestStage::Comparing);
    stage_known_ids(&lake, staging)?;
    let verdicts = staging.judge()?;
    let mut conflicts = Conflicts { request: source.request, letters };
    let files = write_days(&lake, staging, &verdicts, &mut conflicts, watch)?;
    summary.count_verdicts(&verdicts);
    let change = if files.is_empty() { PendingChange::Nothing } else { PendingChange::Days(lake, files) };
    Ok((summary, change))
}

/// Removes what an ingest that was killed or failed has left behind.
fn sweep(workspace: &Workspace) {
    tables::sweep_temporaries(&workspace.data());
    tables::sweep_temporaries(&workspace.events());
    if let Ok(lake) = Lake::open(workspace) {
        lake.sweep(&lake);
    }
}

/// Reads every file into the staging area; a file that cannot be taken leaves no trace but its name.
fn stage_files(
    source: &IngestSource<'_>,
    staging: &mut Staging,
    letters: &mut DeadLetters,
    watch: &impl Fn(IngestStage<'_>),
) -> Result<IngestSummary, FilesError> {
    let mut summary = IngestSummary::default();
    let settings = EventNames::of_settings(source.config).unwrap_or_default();
    let names = source.request.renames.event_names(&settings);
    for (file, path) in (0..).zip(source.request.files) {
        let mark = staging.mark();
        let mut cleaner = EventCleaner::new(source.stamp_reader()).with_names(names.clone());
        let mut notes = CellNotes::default();
        let taken = source.read(path, EVENT_FIELDS, letters, watch, |line, row, mapping| {
            let event = cleaner.clean(mapping, row)?;
            if let Some(note) = cleaner.dropped() {
                notes.add(note, &format!("{}:{line}", path.display()));
            }
            let canonical = cleaner.canonical();
            staging.add(Origin { file, line }, &event, canonical, hash_of(canonical))?;
            Ok(())
        })?;
        match taken {
            Ok(part) => {
                summary.add(IngestSummary { event_names: cleaner.into_counts(), ..part });
                summary.notes.merge(notes);
            }
            Err(error) => {
                staging.roll_back(&mark)?;
                summary.refused.push(error);
            }
        }
    }
    let unread = source.request.renames.asked_names().filter(|theirs| !summary.event_names.has(theirs));
    summary.unread_names = unread.cloned().collect();
    Ok(summary)
}

fn stage_known_ids(lake: &Lake, staging: &mut Staging) -> Result<(), FilesError> {
    for file in &lake.manifest().files {
        let events = lake.events(file, &[EventColumn::MessageId, EventColumn::RecordHash])?;
        for event in events.iter() {
            staging.add_known(event.message_id, event.record_hash)?;
        }
    }
    Ok(())
}

/// Dead letters of records whose id is taken by other content.
struct Conflicts<'a> {
    request: &'a FilesRequest<'a>,
    letters: &'a mut DeadLetters,
}

impl Conflicts<'_> {
    fn add(&mut self, origin: Origin, event: &Value) -> Result<(), TableError> {
        let file = self.request.files[origin.file as usize].display().to_string();
        let detail = format!("message_id {} was seen before with other content", event["message_id"]);
        let rejection = Rejection::new(RejectionCode::MessageIdConflict, detail);
        self.letters.add(&file, origin.line, &rejection, event)
    }
}

/// What writing one day came to: its file, if anything is new, and its conflicts with the events as JSON.
struct DayResult {
    file: Option<LakeFile>,
    conflicts: Vec<(Origin, Value)>,
}

/// Writes the new files of all days that gained an event, one day a processor; what comes of it is in order of date.
fn write_days(
    lake: &Lake,
    staging: &Staging,
    verdicts: &RecordVerdicts,
    conflicts: &mut Conflicts<'_>,
    watch: &impl Fn(IngestStage<'_>),
) -> Result<Vec<LakeFile>, FilesError> {
    let days = staging.days();
    let (mut files, mut done) = (Vec::new(), 0);
    let mut waiting: BTreeMap<usize, DayResult> = BTreeMap::new();
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    std::thread::scope(|scope| -> Result<(), FilesError> {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let (sender, next, days) = (sender.clone(), &next, &days);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(day) = days.get(index) else { return };
                    let result = write_day(lake, staging, verdicts, *day);
                    let failed = result.is_err();
                    if sender.send((index, result)).is_err() || failed {
                        return;
                    }
                }
            });
        }
        drop(sender);
        for (index, result) in receiver {
            waiting.insert(index, result?);
            while let Some(result) = waiting.remove(&done) {
                for (origin, event) in &result.conflicts {
                    conflicts.add(*origin, event)?;
                }
                files.extend(result.file);
                done += 1;
            }
            watch(IngestStage::Writing { done, total: days.len() });
        }
        Ok(())
    })?;
    Ok(files)
}

/// One day: its former events and its accepted new ones, sorted, in one new file.
fn write_day(
    lake: &Lake,
    staging: &Staging,
    verdicts: &RecordVerdicts,
    day: Day,
) -> Result<DayResult, FilesError> {
    let bytes = staging.read_day(day)?;
    let (mut events, mut conflicts) = (Vec::new(), Vec::new());
    for (row, (origin, hash, event)) in (0..).zip(records_of(&bytes)) {
        match verdicts.of(day, row) {
            RecordVerdict::Accepted => events.push((event, hash)),
            RecordVerdict::Duplicate => {}
            RecordVerdict::Conflict => conflicts.push((origin, event.to_json())),
        }
    }
    if events.is_empty() {
        return Ok(DayResult { file: None, conflicts });
    }
    let former = lake.file_of(day).map(|file| lake.events(file, &EventColumn::ALL)).transpose()?;
    events.extend(former.iter().flat_map(events_of));
    // References are sorted: an event is as large as twenty of them.
    let mut sorted: Vec<&(Event<'_>, u64)> = events.iter().collect();
    sorted.sort_unstable_by(|(a, _), (b, _)| a.order().cmp(&b.order()));
    let mut names: BTreeMap<String, u64> = BTreeMap::new();
    for (event, _) in &events {
        match names.get_mut(event.name.as_ref()) {
            Some(count) => *count += 1,
            None => {
                names.insert(event.name.to_string(), 1);
            }
        }
    }
    let in_day = |error| TableError::parquet(Path::new(&format!("date={day}")))(error);
    let frame = frame_of(&sorted).map_err(in_day)?;
    Ok(DayResult { file: Some(lake.write_day(day, frame, names)?), conflicts })
}
