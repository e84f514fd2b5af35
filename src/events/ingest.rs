//! The path of an event file: open → map → clean → stage → judge → write days → commit.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use serde_json::Value;

use super::clean::{EVENT_FIELDS, EventCleaner};
use super::days::write_events;
use super::dead_letters::DeadLetters;
use super::erased::ErasedUsers;
use super::event_names::EventNames;
use super::ingest_keys::{IngestKeys, event_key};
use super::ingests::{self, keep_former, record_of};
use super::kept_rows;
use super::lake::{Lake, LakeChange, LakeFile};
use super::notes::CellNotes;
use super::reading::IngestSource;
use super::records::events_of;
use super::request::{FilesError, FilesRequest, IngestStage, IngestSummary, InputKind, PendingChange};
use super::shifted::{Alike, MoveCounts, compare_day};
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
    let source = IngestSource { config, request, scratch: &scratch, erased: ErasedUsers::read(workspace)? };
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
    put_in_force(workspace, source.request, &mut summary, change)?;
    Ok(summary)
}

/// Makes what was written count, with its record in the lake's manifest, so that it can be undone.
fn put_in_force(
    workspace: &Workspace,
    request: &FilesRequest<'_>,
    summary: &mut IngestSummary,
    change: PendingChange,
) -> Result<(), FilesError> {
    let (lake, record, files) = match change {
        PendingChange::Nothing => return Ok(()),
        PendingChange::Days(lake, files, keys) => {
            summary.changed_days = files.iter().filter_map(|file| Day::parse(&file.date)).collect();
            let mut record = record_of(&lake, request, summary);
            record.sha256 = keys.write(workspace, &record.id)?;
            (lake, record, files)
        }
        PendingChange::Table(path, mut frame, rows) => {
            let lake = Lake::open(workspace)?;
            let mut record = record_of(&lake, request, summary);
            record.former_sha256 = keep_former(workspace, &path, &record.id)?;
            record.keeps_rows = true;
            kept_rows::keep(workspace, &rows, &record.id)?;
            record.sha256 = tables::write_parquet(&path, &mut frame)?;
            tables::sync_directory(&workspace.data())?;
            (lake, record, Vec::new())
        }
    };
    summary.ingest_id = Some(record.id.clone());
    let mut ingests = lake.manifest().ingests.clone();
    ingests.push(record);
    let lake = lake.apply(LakeChange { files, ingests: Some(ingests), ..LakeChange::default() })?;
    ingests::sweep(workspace, &lake.manifest().ingests);
    Ok(())
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
    let written = write_days(&lake, staging, &verdicts, &mut conflicts, watch)?;
    summary.count_verdicts(&verdicts);
    summary.shifted = written.moves.shifted();
    summary.same_moment = written.moves.at_same_moment();
    summary.shifted_conflicts = written.conflict_moves.shifted();
    let WrittenDays { files, keys, .. } = written;
    let is_new = !files.is_empty();
    let change = if is_new { PendingChange::Days(lake, files, keys) } else { PendingChange::Nothing };
    Ok((summary, change))
}

/// Removes what an ingest that was killed or failed has left behind.
fn sweep(workspace: &Workspace) {
    tables::sweep_temporaries(&workspace.data());
    tables::sweep_temporaries(&workspace.events());
    if let Ok(lake) = Lake::open(workspace) {
        lake.sweep(&lake);
        ingests::sweep(workspace, &lake.manifest().ingests);
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
            source.erased.refuse(&event.user_id)?;
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
            Err(refused) => {
                staging.roll_back(&mark)?;
                summary.refused.push(refused.error);
            }
        }
    }
    let unread = source.request.renames.asked_names().filter(|theirs| !summary.event_names.has(theirs));
    summary.unread_names = unread.cloned().collect();
    summary.misspelt_names = source.request.renames.misspelt_names().chain(settings.misspelt()).collect();
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
    day: Day,
    file: Option<LakeFile>,
    /// Of the new events.
    keys: Vec<u64>,
    moves: MoveCounts,
    conflict_moves: MoveCounts,
    conflicts: Vec<(Origin, Value)>,
}

/// What writing all days came to.
#[derive(Default)]
struct WrittenDays {
    files: Vec<LakeFile>,
    keys: IngestKeys,
    moves: MoveCounts,
    conflict_moves: MoveCounts,
}

impl WrittenDays {
    fn absorb(&mut self, result: DayResult, conflicts: &mut Conflicts<'_>) -> Result<(), TableError> {
        for (origin, event) in &result.conflicts {
            conflicts.add(*origin, event)?;
        }
        self.keys.add_day(result.day, result.keys);
        self.moves.merge(&result.moves);
        self.conflict_moves.merge(&result.conflict_moves);
        self.files.extend(result.file);
        Ok(())
    }
}

/// Writes the new files of all days that gained an event, one day a processor; what comes of it is in order of date.
fn write_days(
    lake: &Lake,
    staging: &Staging,
    verdicts: &RecordVerdicts,
    conflicts: &mut Conflicts<'_>,
    watch: &impl Fn(IngestStage<'_>),
) -> Result<WrittenDays, FilesError> {
    let days = staging.days();
    let (mut written, mut done) = (WrittenDays::default(), 0);
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
                written.absorb(result, conflicts)?;
                done += 1;
            }
            watch(IngestStage::Writing { done, total: days.len() });
        }
        Ok(())
    })?;
    Ok(written)
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
            RecordVerdict::Conflict => conflicts.push((origin, event)),
        }
    }
    let keys = events.iter().map(|(event, _)| event_key(&event.message_id)).collect();
    let new = Alike::of(events.iter().map(|(event, _)| event), false);
    let known = Alike::of(conflicts.iter().map(|(_, event)| event), true);
    let (moves, conflict_moves) = compare_day(lake, day, new, known)?;
    let conflicts = conflicts.into_iter().map(|(origin, event)| (origin, event.to_json())).collect();
    let result = DayResult { day, file: None, keys, moves, conflict_moves, conflicts };
    if events.is_empty() {
        return Ok(result);
    }
    let former = lake.file_of(day).map(|file| lake.events(file, &EventColumn::ALL)).transpose()?;
    events.extend(former.iter().flat_map(events_of));
    Ok(DayResult { file: Some(write_events(lake, day, &events)?), ..result })
}
