//! A bounded cache in two generations: when the younger one is full it becomes the older one, and what the older one held
//! is forgotten. Nothing is tracked per use, so looking something up costs a hash and a lock.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What was kept lately: at most a given number of entries, and always the newest half of them.
#[derive(Debug)]
pub struct Recent<K, V> {
    most: usize,
    generations: Mutex<Generations<K, V>>,
}

#[derive(Debug)]
struct Generations<K, V> {
    younger: HashMap<K, V>,
    older: HashMap<K, V>,
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// An empty cache for at most so many entries.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most,
            generations: Mutex::new(Generations {
                younger: HashMap::new(),
                older: HashMap::new(),
            }),
        }
    }

    /// Keeps a value for a while.
    pub fn keep(&self, key: K, value: V) {
        let mut generations = self.lock();
        if generations.younger.len() >= self.most / 2 {
            generations.older = std::mem::take(&mut generations.younger);
        }
        generations.younger.insert(key, value);
    }

    /// The value that was kept under this key, if it is not forgotten.
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let generations = self.lock();
        let younger = generations.younger.get(key);
        younger.or_else(|| generations.older.get(key)).cloned()
    }

    /// Nothing under this lock can panic but a key's own hash; the maps are whole all the same.
    fn lock(&self) -> MutexGuard<'_, Generations<K, V>> {
        self.generations
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_half_is_kept_and_all_together_are_bounded() {
        let recent = Recent::new(100);
        for number in 0..1_000 {
            recent.keep(number, number * 2);
        }
        let known: Vec<i32> = (0..1_000).filter_map(|key| recent.get(&key)).collect();
        assert!(known.len() <= 100, "{}", known.len());
        assert!((950..1_000).all(|key| recent.get(&key) == Some(key * 2)));
        assert_eq!(recent.get(&1_000), None);
    }

    #[test]
    fn what_is_kept_again_has_its_new_value() {
        let recent = Recent::new(2);
        recent.keep("one", 1);
        recent.keep("two", 2);
        recent.keep("one", 3);
        assert_eq!(recent.get("one"), Some(3));
    }
}
