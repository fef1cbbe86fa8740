//! The median of repetitions.

/// The one in the middle by a key; of an even number the lower of the two, so that what is reported did happen.
pub(crate) fn median<T>(runs: &mut [T], key: impl Fn(&T) -> f64) -> Option<&T> {
    runs.sort_by(|one, other| key(one).total_cmp(&key(other)));
    runs.get(runs.len().saturating_sub(1) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_a_run_that_happened() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0], |run| *run), Some(&2.0));
        assert_eq!(median(&mut [4.0, 1.0, 2.0, 3.0], |run| *run), Some(&2.0));
        assert_eq!(median(&mut [7.0], |run| *run), Some(&7.0));
        assert_eq!(median(&mut [0.0; 0], |run| *run), None);
    }
}
