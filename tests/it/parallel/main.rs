//! All cores, same results: whatever the number of threads, chunks come back in order and nothing is lost.

use parallel::{in_chunks_on, in_chunks_with, map, map_each, sum_tallies};

#[test]
fn chunks_come_back_in_order_on_any_number_of_threads() {
    for count in [0, 1, 7, 64, 1_000] {
        for chunk in [1, 3, 64, 5_000] {
            let expected: Vec<Vec<usize>> =
                (0..count).collect::<Vec<_>>().chunks(chunk).map(<[usize]>::to_vec).collect();
            for threads in [1, 2, 3, 16] {
                let found = in_chunks_on(threads, count, chunk, |range| range.collect::<Vec<usize>>());
                assert_eq!(found, expected, "{count} in chunks of {chunk} on {threads} threads");
            }
        }
    }
}

#[test]
fn a_map_gives_every_index_its_own_result() {
    let squares: Vec<usize> = (0..500).map(|index| index * index).collect();
    assert_eq!(map(500, |index| index * index), squares);
    assert_eq!(map_each(500, |index| index * index), squares);
}

#[test]
fn what_threads_keep_adds_up_to_the_whole() {
    let count = 10_000;
    let tally = |kept: &mut Vec<u32>, range: std::ops::Range<usize>| {
        range.for_each(|index| kept[index % 7] += 1);
    };
    for threads in [1, 2, 5] {
        let (_, kept) = in_chunks_with(threads, count, 11, || vec![0; 7], tally);
        let sum = sum_tallies(kept, 7);
        let expected: Vec<u32> =
            (0..7).map(|rest| (0..count).filter(|index| index % 7 == rest).count() as u32).collect();
        assert_eq!(sum, expected, "{threads} threads");
    }
}
