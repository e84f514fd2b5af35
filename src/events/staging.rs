//! Where an ingest keeps what does not fit in memory: records by day, their ids by bucket.
//!
//! A record is written once, to its day. Its id, hash and position go to one of [`BUCKETS`] files by key, so that
//! duplicates are found bucket by bucket with the memory of one bucket, however many records there are.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::records::{Event, read_text, take, write_text};
use domain::identity::key_of;
use domain::time::Day;
use files::tables::TableError;

const BUCKETS: usize = 64;
const ID_BYTES: usize = 32;
/// Buffers grow by blocks of this size, which go round: none is copied to grow, none returns to the system.
const BLOCK: usize = 1 << 14;

/// Records of one day or ids of one bucket, waiting on disk and in blocks.
#[derive(Default)]
struct Spill {
    blocks: Vec<Vec<u8>>,
    flushed: u64,
    rows: u32,
}

/// The staging area of one ingest.
pub(super) struct Staging {
    directory: PathBuf,
    days: BTreeMap<Day, Spill>,
    buckets: Vec<Spill>,
    known: Vec<Spill>,
    /// Blocks that wait to be used again.
    free: Vec<Vec<u8>>,
    /// Blocks in use, and how many there may be.
    used: usize,
    most: usize,
    record: Vec<u8>,
}

/// Where a staged record came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    /// Index of the file in this ingest.
    pub(super) file: u32,
    /// Line (Parquet: row) from 1.
    pub(super) line: u64,
}

/// A state of the staging area to which a refused file is rolled back.
pub(super) struct StagingMark {
    days: BTreeMap<Day, (u64, u32)>,
    buckets: Vec<(u64, u32)>,
}

/// What became of each staged record of a day.
#[derive(Clone, Debug, Default)]
pub(super) struct RecordVerdicts {
    duplicates: HashMap<Day, BitSet>,
    conflicts: HashMap<Day, BitSet>,
    /// How many were the same record again.
    pub(super) duplicate: u64,
    /// How many brought other content under a known id.
    pub(super) conflicting: u64,
}

/// The fate of one staged record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordVerdict {
    /// New to the lake.
    Accepted,
    /// Seen before.
    Duplicate,
    /// Its id was seen with other content.
    Conflict,
}

#[derive(Clone, Debug, Default)]
struct BitSet(Vec<u64>);

impl BitSet {
    fn insert(&mut self, index: u32) {
        let word = index as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (index % 64);
    }

    fn contains(&self, index: u32) -> bool {
        self.0.get(index as usize / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }
}

impl RecordVerdicts {
    /// The fate of a day's record.
    pub(super) fn of(&self, day: Day, row: u32) -> RecordVerdict {
        let holds = |sets: &HashMap<Day, BitSet>| sets.get(&day).is_some_and(|set| set.contains(row));
        if holds(&self.conflicts) {
            RecordVerdict::Conflict
        } else if holds(&self.duplicates) {
            RecordVerdict::Duplicate
        } else {
            RecordVerdict::Accepted
        }
    }

    fn set(&mut self, day: Day, row: u32, same: bool) {
        if same {
            self.duplicates.entry(day).or_default().insert(row);
            self.duplicate += 1;
        } else {
            self.conflicts.entry(day).or_default().insert(row);
            self.conflicting += 1;
        }
    }
}

impl Staging {
    /// An empty staging area in `directory`, whatever a crash has left there.
    pub(super) fn create(directory: PathBuf, memory: usize) -> Result<Staging, TableError> {
        if directory.exists() {
            fs::remove_dir_all(&directory).map_err(TableError::io(&directory))?;
        }
        fs::create_dir_all(&directory).map_err(TableError::io(&directory))?;
        let spills = || std::iter::repeat_with(Spill::default).take(BUCKETS).collect();
        Ok(Staging {
            directory,
            days: BTreeMap::new(),
            buckets: spills(),
            known: spills(),
            free: Vec::new(),
            used: 0,
            most: memory / BLOCK,
            record: Vec::new(),
        })
    }

    /// The directory, for other scratch files of this ingest.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Stages one clean event with its canonical bytes and their hash.
    pub(super) fn add(
        &mut self,
        origin: Origin,
        event: &Event<'_>,
        canonical: &[u8],
        hash: u64,
    ) -> Result<(), TableError> {
        let day = event.timestamp.utc_day();
        self.record.clear();
        self.record.extend_from_slice(&origin.file.to_le_bytes());
        self.record.extend_from_slice(&origin.line.to_le_bytes());
        self.record.extend_from_slice(&hash.to_le_bytes());
        write_text(&mut self.record, &event.message_id);
        self.record.extend_from_slice(canonical);
        let spill = self.days.entry(day).or_default();
        let row = spill.rows;
        self.used += spill.append(&self.record, &mut self.free);
        let key = key_of(&event.message_id);
        let id = Id { key, hash, day, row }.to_bytes();
        self.used += self.buckets[bucket_of(key)].append(&id, &mut self.free);
        if self.used > self.most { self.flush() } else { Ok(()) }
    }

    /// Makes an id of the lake known.
    pub(super) fn add_known(&mut self, message_id: &str, hash: u64) -> Result<(), TableError> {
        let key = key_of(message_id);
        let id = Id { key, hash, day: Day(0), row: 0 }.to_bytes();
        self.used += self.known[bucket_of(key)].append(&id, &mut self.free);
        if self.used > self.most { self.flush() } else { Ok(()) }
    }

    /// Is there anything staged?
    pub(super) fn is_empty(&self) -> bool {
        self.days.is_empty()
    }

    /// The days that have records.
    pub(super) fn days(&self) -> Vec<Day> {
        self.days.keys().copied().collect()
    }

    /// Where the staging area stands now.
    pub(super) fn mark(&self) -> StagingMark {
        let extent = |spill: &Spill| (spill.flushed + spill.waiting() as u64, spill.rows);
        StagingMark {
            days: self.days.iter().map(|(day, spill)| (*day, extent(spill))).collect(),
            buckets: self.buckets.iter().map(extent).collect(),
        }
    }

    /// Takes back everything after the mark.
    pub(super) fn roll_back(&mut self, mark: &StagingMark) -> Result<(), TableError> {
        self.flush()?;
        let days: Vec<Day> = self.days();
        for day in days {
            let path = self.day_path(day);
            match mark.days.get(&day) {
                Some(extent) => {
                    let Some(spill) = self.days.get_mut(&day) else { continue };
                    spill.cut(&path, *extent)?;
                }
                None => {
                    self.days.remove(&day);
                    fs::remove_file(&path).map_err(TableError::io(&path))?;
                }
            }
        }
        for (index, extent) in mark.buckets.iter().enumerate() {
            let path = self.bucket_path("ids", index);
            self.buckets[index].cut(&path, *extent)?;
        }
        Ok(())
    }

    /// Writes all buffers to disk.
    pub(super) fn flush(&mut self) -> Result<(), TableError> {
        let Staging { directory, days, buckets, known, free, .. } = self;
        for (day, spill) in days {
            spill.flush(&directory.join(format!("day-{}", day.0)), free)?;
        }
        for (index, (ids, known)) in buckets.iter_mut().zip(known).enumerate() {
            ids.flush(&directory.join(format!("ids-{index}")), free)?;
            known.flush(&directory.join(format!("known-{index}")), free)?;
        }
        self.used = 0;
        Ok(())
    }

    /// Decides every staged record, in the order in which the records were read: the first of an id wins.
    pub(super) fn judge(&mut self) -> Result<RecordVerdicts, TableError> {
        self.flush()?;
        let mut verdicts = RecordVerdicts::default();
        for bucket in 0..BUCKETS {
            let mut first: HashMap<u128, u64> = HashMap::with_capacity(self.known[bucket].rows as usize);
            self.for_each_id("known", bucket, |id| {
                first.insert(id.key, id.hash);
            })?;
            self.for_each_id("ids", bucket, |id| match first.get(&id.key) {
                Some(hash) => verdicts.set(id.day, id.row, *hash == id.hash),
                None => {
                    first.insert(id.key, id.hash);
                }
            })?;
        }
        Ok(verdicts)
    }

    fn for_each_id(&self, kind: &str, bucket: usize, mut take_id: impl FnMut(Id)) -> Result<(), TableError> {
        let path = self.bucket_path(kind, bucket);
        let spill = if kind == "ids" { &self.buckets[bucket] } else { &self.known[bucket] };
        if spill.rows == 0 {
            return Ok(());
        }
        let mut reader = BufReader::with_capacity(1 << 16, File::open(&path).map_err(TableError::io(&path))?);
        let mut bytes = [0; ID_BYTES];
        for _ in 0..spill.rows {
            reader.read_exact(&mut bytes).map_err(TableError::io(&path))?;
            take_id(Id::read(&bytes));
        }
        Ok(())
    }

    /// The bytes of a day's records, for [`records_of`].
    pub(super) fn read_day(&self, day: Day) -> Result<Vec<u8>, TableError> {
        let path = self.day_path(day);
        fs::read(&path).map_err(TableError::io(&path))
    }

    fn day_path(&self, day: Day) -> PathBuf {
        self.directory.join(format!("day-{}", day.0))
    }

    fn bucket_path(&self, kind: &str, index: usize) -> PathBuf {
        self.directory.join(format!("{kind}-{index}"))
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

impl Spill {
    /// Adds one record; how many blocks it took.
    fn append(&mut self, mut bytes: &[u8], free: &mut Vec<Vec<u8>>) -> usize {
        let mut taken = 0;
        while !bytes.is_empty() {
            let block = match self.blocks.last_mut() {
                Some(block) if block.len() < BLOCK => block,
                _ => {
                    taken += 1;
                    self.blocks.push_mut(free.pop().unwrap_or_else(|| Vec::with_capacity(BLOCK)))
                }
            };
            let (fits, rest) = bytes.split_at(bytes.len().min(BLOCK - block.len()));
            block.extend_from_slice(fits);
            bytes = rest;
        }
        self.rows += 1;
        taken
    }

    /// Bytes that are not on disk yet.
    fn waiting(&self) -> usize {
        self.blocks.iter().map(Vec::len).sum()
    }

    fn flush(&mut self, path: &Path, free: &mut Vec<Vec<u8>>) -> Result<(), TableError> {
        if self.blocks.is_empty() {
            return Ok(());
        }
        let mut file = File::options().create(true).append(true).open(path).map_err(TableError::io(path))?;
        for block in &mut self.blocks {
            file.write_all(block).map_err(TableError::io(path))?;
            self.flushed += block.len() as u64;
            block.clear();
        }
        free.append(&mut self.blocks);
        Ok(())
    }

    fn cut(&mut self, path: &Path, (bytes, rows): (u64, u32)) -> Result<(), TableError> {
        if self.flushed > bytes {
            let mut file = File::options().write(true).open(path).map_err(TableError::io(path))?;
            file.set_len(bytes).and_then(|()| file.seek(SeekFrom::End(0))).map_err(TableError::io(path))?;
        }
        (self.flushed, self.rows) = (bytes, rows);
        Ok(())
    }
}

/// The records in the bytes of a day, in the order in which they were read.
pub(super) fn records_of(mut bytes: &[u8]) -> impl Iterator<Item = (Origin, u64, Event<'_>)> {
    std::iter::from_fn(move || {
        let file = u32::from_le_bytes(take(&mut bytes, 4)?.try_into().ok()?);
        let line = u64::from_le_bytes(take(&mut bytes, 8)?.try_into().ok()?);
        let hash = u64::from_le_bytes(take(&mut bytes, 8)?.try_into().ok()?);
        let message_id = read_text(&mut bytes)?;
        Some((Origin { file, line }, hash, Event::read_canonical(message_id, &mut bytes)?))
    })
}

struct Id {
    key: u128,
    hash: u64,
    day: Day,
    row: u32,
}

impl Id {
    fn to_bytes(&self) -> [u8; ID_BYTES] {
        let mut bytes = [0; ID_BYTES];
        bytes[0..16].copy_from_slice(&self.key.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.hash.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.day.0.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.row.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8; ID_BYTES]) -> Id {
        let part = |range: std::ops::Range<usize>| &bytes[range];
        Id {
            key: u128::from_le_bytes(part(0..16).try_into().unwrap_or_default()),
            hash: u64::from_le_bytes(part(16..24).try_into().unwrap_or_default()),
            day: Day(i32::from_le_bytes(part(24..28).try_into().unwrap_or_default())),
            row: u32::from_le_bytes(part(28..32).try_into().unwrap_or_default()),
        }
    }
}

fn bucket_of(key: u128) -> usize {
    (key >> 64) as usize % BUCKETS
}
