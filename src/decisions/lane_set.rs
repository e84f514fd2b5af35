//! Sets of lanes, however many there are.

/// Lanes that one word of bits can tell apart.
const FEW: usize = u64::BITS as usize;

/// A set of lanes: one word as long as it holds only the first few, as it nearly always does, since a plan keeps many sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LaneSet {
    /// Lanes below [`FEW`], bit by bit.
    Few(u64),
    /// Any lanes, word by word; the last word is not 0.
    Many(Box<[u64]>),
}

impl Default for LaneSet {
    fn default() -> LaneSet {
        LaneSet::Few(0)
    }
}

impl FromIterator<usize> for LaneSet {
    fn from_iter<I: IntoIterator<Item = usize>>(lanes: I) -> LaneSet {
        let mut set = LaneSet::default();
        lanes.into_iter().for_each(|lane| set.insert(lane));
        set
    }
}

impl LaneSet {
    /// Puts a lane in.
    pub(super) fn insert(&mut self, lane: usize) {
        let (word, bit) = (lane / FEW, 1 << (lane % FEW));
        match self {
            LaneSet::Few(bits) if word == 0 => *bits |= bit,
            LaneSet::Many(words) if word < words.len() => words[word] |= bit,
            _ => {
                let mut words = self.words().to_vec();
                words.resize(word + 1, 0);
                words[word] = bit;
                *self = LaneSet::Many(words.into());
            }
        }
    }

    /// Is a lane in it?
    pub(super) fn holds(&self, lane: usize) -> bool {
        match self {
            LaneSet::Few(bits) => lane < FEW && bits >> lane & 1 == 1,
            LaneSet::Many(words) => words.get(lane / FEW).is_some_and(|word| word >> (lane % FEW) & 1 == 1),
        }
    }

    fn words(&self) -> &[u64] {
        match self {
            LaneSet::Few(bits) => std::slice::from_ref(bits),
            LaneSet::Many(words) => words,
        }
    }
}
