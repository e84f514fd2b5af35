//! How far several segments are the same people: sizes, pairs, and who is in one alone.

use serde_json::{Value, json};

use super::desk::AskedSegment;
use super::privacy::{Reader, Shown};
use domain::time::Instant;

/// Sizes of segments over the same people and of what they share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// Members of each.
    pub sizes: Vec<u64>,
    /// Members of each and of no other.
    pub only: Vec<u64>,
    /// Members of at least one.
    pub any: u64,
    /// Members of all.
    pub all: u64,
    /// Every two of them, in order.
    pub pairs: Vec<Pair>,
}

/// Two segments by their indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The first.
    pub first: usize,
    /// The second.
    pub second: usize,
    /// Members of both.
    pub both: u64,
}

/// The overlap of segments, each a mask over the same people.
pub fn overlap(masks: &[Vec<bool>]) -> Overlap {
    let people = masks.iter().map(Vec::len).min().unwrap_or_default();
    let mut found = Overlap {
        sizes: vec![0; masks.len()],
        only: vec![0; masks.len()],
        any: 0,
        all: 0,
        pairs: pairs_of(masks.len()),
    };
    for person in 0..people {
        let own: Vec<usize> = (0..masks.len()).filter(|segment| masks[*segment][person]).collect();
        own.iter().for_each(|segment| found.sizes[*segment] += 1);
        if let [alone] = own[..] {
            found.only[alone] += 1;
        }
        found.any += u64::from(!own.is_empty());
        found.all += u64::from(own.len() == masks.len());
        for pair in &mut found.pairs {
            pair.both += u64::from(masks[pair.first][person] && masks[pair.second][person]);
        }
    }
    found
}

fn pairs_of(segments: usize) -> Vec<Pair> {
    let pair = |first| (first + 1..segments).map(move |second| Pair { first, second, both: 0 });
    (0..segments).flat_map(pair).collect()
}

impl Overlap {
    /// One JSON object; a count that the reader may not see is null.
    pub fn to_json(&self, asked: &[AskedSegment], as_of: Instant, users: u64, reader: Reader) -> Value {
        let card = |index: usize| asked[index].card.as_ref();
        let id = |index: usize| card(index).map(|card| &card.segment_id);
        let segment = |index: usize| {
            json!({
                "segment": id(index), "version": card(index).map(|card| &card.version),
                "members": reader.show(self.sizes[index]), "only": self.only_shown(index, reader),
            })
        };
        let pairs = self.pairs.iter().map(|pair| {
            json!({
                "first": id(pair.first), "second": id(pair.second),
                "both": reader.show(pair.both), "jaccard": self.jaccard(pair, reader),
            })
        });
        json!({
            "as_of": as_of, "users": reader.show(users),
            "segments": (0..asked.len()).map(segment).collect::<Vec<Value>>(), "pairs": pairs.collect::<Vec<Value>>(),
            "any": reader.show(self.any), "all": reader.show(self.all),
        })
    }

    /// Members of both over members of either (Jaccard 1901), from what the reader may see; `None` when that does not tell.
    pub fn jaccard(&self, pair: &Pair, reader: Reader) -> Option<f64> {
        let seen = |count| reader.show(count).number();
        let (first, second, both) =
            (seen(self.sizes[pair.first])?, seen(self.sizes[pair.second])?, seen(pair.both)?);
        let either = (first + second).saturating_sub(both);
        (either > 0).then(|| both as f64 / either as f64)
    }

    /// The members of one alone as the reader may see them: not when the members that it shares are hidden, which would come
    /// out as the difference.
    pub fn only_shown(&self, segment: usize, reader: Reader) -> Shown {
        let (only, shared) = (self.only[segment], self.sizes[segment] - self.only[segment]);
        reader.show_parts(&[only, shared])[0]
    }
}
