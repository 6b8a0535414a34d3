//! Removes pairs whose value has expired, a few places at a time.

use super::levels::CachePadded;
use super::shard::Shard;
use super::Table;

/// The place at which the next sweep begins: the number of a shard, and a place in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    pub shard: usize,
    pub place: usize,
}

impl<K: Copy + PartialEq, V: Copy> Table<K, V> {
    /// Looks at the next `places` places, of which some are empty, and goes on at the first place after the last.
    /// Removes the pairs for whose value `over` returns true; `over` is called under a shard's lock. Moves the mark. If
    /// the table grows meanwhile, a sweep may miss some pairs, which a later one finds. Returns how many were removed.
    ///
    /// A claim on the key of a removed pair remains. Its owner may store the pair again.
    pub fn sweep(&self, mark: &mut Mark, places: usize, over: impl Fn(&V) -> bool) -> usize {
        let shards = self.levels.shards(self.level());
        let (mut left, mut removed) = (places, 0);
        while left > 0 {
            if mark.shard >= shards.len() {
                *mark = Mark::default();
            }
            let CachePadded(guarded) = &shards[mark.shard];
            let mut shard = guarded.write();
            let end = shard.places().min(mark.place + left);
            removed += self.sweep_shard(&mut shard, *mark, end, &over);
            left -= end.saturating_sub(mark.place).max(1);
            if end < shard.places() {
                mark.place = end;
            } else {
                *mark = Mark {
                    shard: mark.shard + 1,
                    place: 0,
                };
            }
        }
        removed
    }

    /// Removes all pairs for whose value `over` returns true, shard by shard.
    pub fn sweep_all(&self, over: impl Fn(&V) -> bool) -> usize {
        // Growth could move pairs to shards that this has passed already.
        let _still = self.growing.write();
        let shards = self.levels.shards(self.level()).iter().enumerate();
        shards
            .map(|(number, CachePadded(guarded))| {
                let mut shard = guarded.write();
                let (mark, end) = (
                    Mark {
                        shard: number,
                        place: 0,
                    },
                    shard.places(),
                );
                self.sweep_shard(&mut shard, mark, end, &over)
            })
            .sum()
    }

    fn sweep_shard(
        &self,
        shard: &mut Shard<K, V>,
        mark: Mark,
        end: usize,
        over: &impl Fn(&V) -> bool,
    ) -> usize {
        let mut removed = 0;
        for place in mark.place..end {
            if shard.at(place).is_some_and(|pair| over(&pair.value)) {
                self.before_change(shard, mark.shard);
                shard.remove_at(place);
                removed += 1;
            }
        }
        if removed > 0 {
            shard.removed(removed, mark.shard, &self.totals);
        }
        removed
    }
}
