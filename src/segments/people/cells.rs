//! Equal parts of people by a number: deciles of propensities, fifths of buyers.

/// Tenths by a number: 10 has the largest, unknown stays unknown.
pub fn deciles(values: &[Option<f64>]) -> Vec<Option<i64>> {
    cells(values, 10)
}

/// 1 … `count` by a number, the largest last; unknown stays unknown.
///
/// A cell is decided by the share of known people with less, ties counting half: equal numbers are in the same cell, and the cells
/// do not depend on the order of people.
pub fn cells(values: &[Option<f64>], count: i64) -> Vec<Option<i64>> {
    let mut sorted: Vec<f64> = values.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let cell = |value: f64| {
        let less = sorted.partition_point(|other| other.total_cmp(&value).is_lt());
        let not_more = sorted.partition_point(|other| other.total_cmp(&value).is_le());
        // Twice the middle of the equals' stretch, which is whole.
        let middle = (less + not_more) as i64;
        1 + count * middle / (2 * sorted.len() as i64)
    };
    values.iter().map(|value| value.map(cell)).collect()
}
