//! Answers that were given: the newest in memory, and which question each idempotency key stood for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use domain::decision::{Action, Decision};
use domain::identity::{hash_of, key_of};
use store::receipt::Receipt;

/// Answers kept for `GET /v1/decisions/{id}`; older ones are looked for in the log.
const MOST_ANSWERS: usize = 4_096;

/// Idempotency keys remembered; the oldest go first.
const MOST_KEYS: usize = 200_000;

/// Keys are spread over this many locks, so that one question does not wait for another.
const SHARDS: usize = 64;

/// An answer that may be given out once its receipt says that it is logged.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The decision's id.
    pub decision_id: String,
    /// What it says to do.
    pub action: Action,
    /// The decision as JSON: the bytes that are logged.
    pub text: Arc<str>,
    /// Settles when the record is in the log.
    pub receipt: Receipt,
}

impl Answer {
    /// The answer that a decision is.
    pub(super) fn of(decision: &Decision, text: Arc<str>, receipt: Receipt) -> Answer {
        Answer { decision_id: decision.decision_id.clone(), action: decision.action, text, receipt }
    }
}

/// The newest answers, oldest out first. Their contexts lie in the log, where the receipts say.
#[derive(Debug, Default)]
pub(super) struct RecentAnswers {
    kept: Mutex<(VecDeque<String>, HashMap<String, Answer>)>,
}

impl RecentAnswers {
    pub(super) fn push(&self, answer: Answer) {
        let mut guard = self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (order, by_id) = &mut *guard;
        if order.len() >= MOST_ANSWERS
            && let Some(oldest) = order.pop_front()
        {
            by_id.remove(&oldest);
        }
        order.push_back(answer.decision_id.clone());
        by_id.insert(answer.decision_id.clone(), answer);
    }

    pub(super) fn get(&self, decision_id: &str) -> Option<Answer> {
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
