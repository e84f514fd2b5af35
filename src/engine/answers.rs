//! Answers that were given: the newest in memory, and for a day which question each idempotency key stood for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use domain::decision::{Action, Decision};
use domain::identity::{hash_of, key_of};
use domain::time::{DAY, Instant};
use store::ack::Ack;

/// Answers kept for `GET /v1/decisions/{id}`; older ones are read from the log.
const MOST_ANSWERS: usize = 4_096;

/// An idempotency key stands for its question at least this long, in microseconds …
const KEY_LIFETIME: i64 = DAY;

/// … unless so many newer keys were used, about 200 bytes each: memory has an end.
const MOST_KEYS: usize = 10_000_000;

/// Keys are spread over this many locks, so that one question does not wait for another.
const SHARDS: usize = 64;

/// An answer that may be given out once it is acknowledged that it is logged.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The decision's id.
    pub decision_id: String,
    /// What it says to do.
    pub action: Action,
    /// The decision as JSON: the bytes that are logged.
    pub text: Arc<str>,
    /// Settles when the record is in the log.
    pub ack: Ack,
}

impl Answer {
    /// The answer that a decision is.
    pub(super) fn of(decision: &Decision, text: Arc<str>, ack: Ack) -> Answer {
        Answer { decision_id: decision.decision_id.clone(), action: decision.action, text, ack }
    }
}

/// The newest answers, oldest out first. Their contexts are in the log, at the positions that were acknowledged.
#[derive(Debug, Default)]
pub(super) struct RecentAnswers {
    kept: Mutex<(VecDeque<String>, HashMap<String, Answer>)>,
}

impl RecentAnswers {
    pub(super) fn push(&self, answer: Answer) {
        let mut guard = self.kept.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (order, by_id) = &mut *guard;
        // One that still waits for its write is not in the log, so nothing else knows of it.
        let may_go = |by_id: &HashMap<String, Answer>, id: &String| {
            by_id.get(id).is_none_or(|answer| answer.ack.is_settled())
        };
        while order.len() >= MOST_ANSWERS
            && let Some(oldest) = order.pop_front_if(|oldest| may_go(by_id, oldest))
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
pub(super) struct KeyedAnswer {
    /// When the question was asked.
    pub(super) asked_at: Instant,
    /// The question: a hash of its hash.
    question: u128,
    /// The answer.
    pub(super) decision_id: Box<str>,
}

impl KeyedAnswer {
    /// The answer to a question of this hash.
    pub(super) fn new(asked_at: Instant, request_hash: &str, decision_id: &str) -> KeyedAnswer {
        KeyedAnswer { asked_at, question: key_of(request_hash), decision_id: decision_id.into() }
    }

    /// Was it a question of this hash?
    pub(super) fn is_to(&self, request_hash: &str) -> bool {
        self.question == key_of(request_hash)
    }
}

/// Some of the keys, oldest out first.
#[derive(Debug, Default)]
pub(super) struct KeyShard {
    order: VecDeque<(u128, Instant)>,
    answers: HashMap<u128, KeyedAnswer>,
}

impl KeyShard {
    pub(super) fn get(&self, key: &str) -> Option<&KeyedAnswer> {
        self.answers.get(&key_of(key))
    }

    /// Remembers a key from its question's moment on, and forgets those that have lived long enough by then.
    pub(super) fn insert(&mut self, key: &str, answer: KeyedAnswer) {
        let (key, now) = (key_of(key), answer.asked_at);
        self.order.push_back((key, now));
        self.answers.insert(key, answer);
        while let Some((oldest, asked_at)) = self.order.front().copied()
            && (asked_at.plus(KEY_LIFETIME) < now || self.order.len() > MOST_KEYS / SHARDS)
        {
            self.order.pop_front();
            // A key whose first answer was never written has been used again since.
            if self.answers.get(&oldest).is_some_and(|answer| answer.asked_at == asked_at) {
                self.answers.remove(&oldest);
            }
        }
    }
}

/// Idempotency keys, each behind the lock of its shard.
#[derive(Debug)]
pub(super) struct Keys {
    shards: Vec<Mutex<KeyShard>>,
}

impl Default for Keys {
    fn default() -> Keys {
        Keys { shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }
}

impl Keys {
    /// Holds the shard of a key: a second request under it waits meanwhile, and then finds the answer.
    pub(super) fn hold(&self, key: &str) -> MutexGuard<'_, KeyShard> {
        let shard = (hash_of(key.as_bytes()) % SHARDS as u64) as usize;
        self.shards[shard].lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
