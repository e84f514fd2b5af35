//! Answers that were given: the newest records in memory, and which question each idempotency key stood for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::domain::identity::{hash_of, key_of};
use crate::storage::decision_log::Record;
use crate::storage::receipt::Receipt;

/// Records kept for `GET /v1/decisions/{id}`; older ones are read from the log.
const MOST_RECORDS: usize = 1_024;

/// Idempotency keys remembered; the oldest go first.
const MOST_KEYS: usize = 200_000;

/// Keys are spread over this many locks, so that one question does not wait for another.
const SHARDS: usize = 64;

/// A record and the receipt of its write.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) record: Arc<Record>,
    pub(super) receipt: Receipt,
}

/// The newest records, oldest out first.
#[derive(Debug, Default)]
pub(super) struct RecentRecords {
    kept: Mutex<(VecDeque<String>, HashMap<String, Kept>)>,
}

impl RecentRecords {
    pub(super) fn push(&self, kept: Kept) {
        let mut guard = self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (order, by_id) = &mut *guard;
        if order.len() >= MOST_RECORDS
            && let Some(oldest) = order.pop_front()
        {
            by_id.remove(&oldest);
        }
        let id = kept.record.decision.decision_id.clone();
        order.push_back(id.clone());
        by_id.insert(id, kept);
    }

    pub(super) fn get(&self, decision_id: &str) -> Option<Kept> {
        self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).1.get(decision_id).cloned()
    }
}

/// What a key stood for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Hash of the question.
    pub(super) request_hash: String,
    /// The answer.
    pub(super) decision_id: String,
}

/// Some of the keys, oldest out first.
#[derive(Debug, Default)]
pub(super) struct Shard {
    order: VecDeque<u128>,
    asked: HashMap<u128, Asked>,
}

impl Shard {
    pub(super) fn get(&self, key: &str) -> Option<&Asked> {
        self.asked.get(&key_of(key))
    }

    pub(super) fn insert(&mut self, key: &str, asked: Asked) {
        let key = key_of(key);
        if self.asked.insert(key, asked).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > MOST_KEYS / SHARDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.asked.remove(&oldest);
        }
    }
}

/// Idempotency keys, each behind the lock of its shard.
#[derive(Debug)]
pub(super) struct Keys {
    shards: Vec<Mutex<Shard>>,
}

impl Default for Keys {
    fn default() -> Keys {
        Keys { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Keys {
    /// Holds the shard of a key: whoever asks under it again meanwhile waits, and then finds the answer.
    pub(super) fn hold(&self, key: &str) -> MutexGuard<'_, Shard> {
        let shard = (hash_of(key.as_bytes()) % SHARDS as u64) as usize;
        self.shards[shard].lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
