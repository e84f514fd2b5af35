//! Pairs of sums by index of which few are touched: memory that one user after another works in.

/// Two sums for each of many indices. The memory for all indices is allocated once; each [`SparseSums::take`] resets
/// only those that were touched.
#[derive(Debug)]
pub(super) struct SparseSums {
    /// By index: its position among the entries plus one, or 0 as long as it has none.
    positions: Vec<u32>,
    entries: Vec<(u32, f64, f64)>,
}

impl SparseSums {
    /// No sums yet, for indices below a number.
    pub(super) fn new(indices: usize) -> SparseSums {
        SparseSums { positions: vec![0; indices], entries: Vec::new() }
    }

    /// Adds to the two sums of an index.
    pub(super) fn add(&mut self, index: u32, first: f64, second: f64) {
        let position = &mut self.positions[index as usize];
        if *position == 0 {
            self.entries.push((index, 0.0, 0.0));
            *position = self.entries.len() as u32;
        }
        let (_, firsts, seconds) = &mut self.entries[*position as usize - 1];
        *firsts += first;
        *seconds += second;
    }

    /// The touched indices with their sums, in order of first touch; afterwards none is touched.
    pub(super) fn take(&mut self) -> Vec<(u32, f64, f64)> {
        self.entries.iter().for_each(|(index, _, _)| self.positions[*index as usize] = 0);
        std::mem::take(&mut self.entries)
    }
}
